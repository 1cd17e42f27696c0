from __future__ import annotations

import pytest

from takedowns.channels.parcel import SendError
from takedowns.channels.secret import secret

NAME = "VAPEWATCH_TEST_SECRET"


@pytest.fixture
def folder(tmp_path):
    file = tmp_path / NAME
    file.write_text("from the file\n")
    file.chmod(0o600)
    return tmp_path


def test_the_environment_goes_before_the_file(folder, monkeypatch):
    assert secret(NAME, folder) == "from the file"
    monkeypatch.setenv(NAME, "from the environment")
    assert secret(NAME, folder) == "from the environment"


def test_a_missing_secret_is_named(tmp_path):
    for where in (None, tmp_path):
        with pytest.raises(SendError, match=NAME) as missing:
            secret(NAME, where)
        assert missing.value.temporary


def test_a_file_that_others_may_read_is_not_used(folder):
    (folder / NAME).chmod(0o644)
    with pytest.raises(SendError, match="chmod 600") as refused:
        secret(NAME, folder)
    assert "from the file" not in str(refused.value)


def test_an_empty_file_is_no_secret(folder):
    (folder / NAME).write_text("\n")
    with pytest.raises(SendError, match="empty"):
        secret(NAME, folder)
