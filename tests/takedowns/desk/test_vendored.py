from __future__ import annotations

import hashlib
import json

from takedowns.desk.app import STATIC

VENDOR = STATIC / "vendor"


def test_vendored_files_are_what_was_published() -> None:
    listed = json.loads((VENDOR / "VENDORED.json").read_text())
    for package in listed:
        assert (VENDOR / package["license_file"]).exists()
        assert hashlib.sha256((VENDOR / package["file"]).read_bytes()).hexdigest() == package["sha256"]


def test_no_other_vendored_file_is_there() -> None:
    listed = json.loads((VENDOR / "VENDORED.json").read_text())
    known = {"VENDORED.json", *(p["file"] for p in listed), *(p["license_file"] for p in listed)}
    assert {path.name for path in VENDOR.iterdir()} == known
