"""Promises about the whole repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "README.zh-CN.md",
    "bench",
    "classifiers",
    "config",
    "crawlers",
    "docs",
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements-images.lock",
    "requirements.lock",
    "takedowns",
    "tests",
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        if path.is_file() and path.stat().st_size < 2_000_000:
            try:
                found.append((path, path.read_text(encoding="utf-8")))
            except UnicodeDecodeError:
                continue  # a picture or a trained model
    return found


def test_the_top_level_holds_what_the_design_names_and_no_more() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


def test_config_holds_data_only() -> None:
    assert not list((ROOT / "config").rglob("*.py"))


def test_lock_files_pin_hashes_and_name_no_index() -> None:
    found = [path for path in tracked() if path.suffix == ".lock"]
    assert {path.name for path in found} >= {
        "requirements.lock",
        "requirements-images.lock",
        "requirements-dev.lock",
    }
    for path in found:
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"^\s*(--(extra-)?index-url|--find-links|-f |-i )", text, re.M)
        assert "://" not in text


def test_no_file_names_the_folder_that_it_was_written_in() -> None:
    assert [path for path, text in texts() if f"{ROOT}/" in text] == []


def test_no_source_file_is_longer_than_four_hundred_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): text.count("\n")
        for path, text in texts()
        if path.suffix == ".py" and not {"migrations", "tests"} & set(path.parts) and text.count("\n") > 400
    }
    assert long == {}


def test_ci_calls_make_test_and_nothing_cleverer() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert lines[1:] == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make test"]
