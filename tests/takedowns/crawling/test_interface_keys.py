"""Keys reach the crawl that needs them, and nothing else."""

from __future__ import annotations

import pytest

from classifiers.yamlfile import ConfigError
from crawlers import rundir
from crawlers.rundir import CrawlJob, RunKind
from takedowns.crawling.crawl import crawl
from takedowns.crawling.interface_keys import environment_for, missing, read_keys_file
from takedowns.settings import Crawl
from tests.crawlers.apis.goods import PROFILES, shipped, taobao_goods
from tests.crawlers.apis.server import SECRETS, ApiServer, taobao

TAOBAO = PROFILES["taobao-union"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "keys"
    path.write_text("# keys\n\n" + "".join(f" {name} = {value}\n" for name, value in SECRETS.items()))
    path.chmod(0o600)
    return path


def test_a_crawl_gets_the_keys_of_its_own_interface_only(file, monkeypatch):
    monkeypatch.setenv("VAPEWATCH_EBAY_CLIENT_SECRET", "from the environment")
    found = environment_for(TAOBAO, file)
    assert {name for name in found if name in SECRETS} == {n for n in SECRETS if "TAOBAO" in n}
    assert found["PATH"]
    assert not {name for name in environment_for(PROFILES["sample"], file) if name in SECRETS}


def test_the_environment_goes_before_the_file(file, monkeypatch):
    monkeypatch.setenv("VAPEWATCH_TAOBAO_UNION_APP_KEY", "other")
    assert environment_for(TAOBAO, file)["VAPEWATCH_TAOBAO_UNION_APP_KEY"] == "other"


def test_an_empty_variable_does_not_hide_the_file(file, monkeypatch):
    for empty in ("", " "):
        monkeypatch.setenv("VAPEWATCH_TAOBAO_UNION_APP_KEY", empty)
        told = SECRETS["VAPEWATCH_TAOBAO_UNION_APP_KEY"]
        assert environment_for(TAOBAO, file)["VAPEWATCH_TAOBAO_UNION_APP_KEY"] == told
        assert missing(file) == []
        assert "VAPEWATCH_TAOBAO_UNION_APP_KEY" not in environment_for(TAOBAO, None)


def test_interfaces_without_all_their_keys_are_named(file):
    assert missing(file) == []
    file.write_text(
        "VAPEWATCH_EBAY_CLIENT_ID=1\nVAPEWATCH_JD_UNION_APP_KEY=1\nVAPEWATCH_JD_UNION_APP_SECRET=2\n"
    )
    assert missing(file) == ["ebay", "taobao-union", "pdd-ddjb"]


def test_a_file_that_others_may_read_is_refused(file):
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        environment_for(TAOBAO, file)
    assert environment_for(PROFILES["sample"], file)  # which needs none


def test_faults_are_named_by_line_and_no_value_is_repeated(file):
    file.write_text("VAPEWATCH_EBAY_CLIENT_SECRETS=hush-1\nhush-2\nVAPEWATCH_PDD_DDJB_PID=1_2\n")
    with pytest.raises(ConfigError) as caught:
        read_keys_file(file)
    first, second = caught.value.problems
    assert first.startswith(f"{file}:1:1: VAPEWATCH_EBAY_CLIENT_SECRETS: unknown; did you mean")
    assert second.startswith(f"{file}:2:1: (line)")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(file, content):
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_keys_file(file)


def test_a_crawl_with_keys_from_the_file_leaves_none_of_them_behind(file, tmp_path):
    server = ApiServer(taobao([taobao_goods("1", "医用雾化器")]))
    try:
        job = CrawlJob(
            run_id="r1",
            kind=RunKind.SWEEP,
            platform=shipped("taobao-union", server.home),
            terms=("雾化器",),
            contact="a@b.example",
        )
        run = crawl(job, tmp_path / "runs", Crawl(keys=file))
    finally:
        server.close()
    assert [(listing.platform, listing.item_id) for listing in run.listings] == [("taobao", "1")]
    assert run.stats.outcome is rundir.Outcome.OK
    left = b"".join(path.read_bytes() for path in run.path.rglob("*") if path.is_file())
    assert [name for name, value in SECRETS.items() if value.encode() in left] == []
