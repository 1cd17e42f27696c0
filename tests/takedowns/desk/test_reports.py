from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from takedowns.ledger.vocabulary import Role
from takedowns.settings import Settings

Client = Callable[[Role], TestClient]


@pytest.fixture
def folder(settings: Settings) -> Path:
    folder = settings.var / "reports" / "2026-10" / "v1"
    folder.mkdir(parents=True)
    (folder / "报告.html").write_text("<script>alert(1)</script>", encoding="utf-8")
    (folder / "leads.csv").write_text("a,b", encoding="utf-8")
    (folder / ".secret").write_text("no report", encoding="utf-8")
    (settings.var / "ledger.csv").write_text("outside", encoding="utf-8")
    return folder


def test_every_file_of_a_report_can_be_downloaded(client: Client, folder: Path) -> None:
    browser = client(Role.SUPERVISOR)
    page = browser.get("/reports").text
    assert "2026-10/v1" in page
    assert "/reports/files/2026-10/v1/%E6%8A%A5%E5%91%8A.html" in page
    assert ".secret" not in page
    answer = browser.get("/reports/files/2026-10/v1/leads.csv")
    assert answer.content == b"a,b"


def test_a_reports_page_never_runs_inside_the_desk(client: Client, folder: Path) -> None:
    answer = client(Role.SUPERVISOR).get("/reports/files/2026-10/v1/%E6%8A%A5%E5%91%8A.html")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "..%2Fledger.csv",
        "2026-10/../../ledger.csv",
        "2026-10%2F..%2F..%2Fledger.csv",
        "%2Fetc%2Fpasswd",
        "2026-10/v1/.secret",
        "2026-10/v1",
        "nothing.csv",
        "a%00b.csv",
    ],
)
def test_no_other_file_can_be_reached(client: Client, folder: Path, path: str) -> None:
    assert client(Role.ADMIN).get(f"/reports/files/{path}").status_code == 404


def test_a_link_out_of_the_folder_is_not_followed(client: Client, folder: Path, settings: Settings) -> None:
    (folder / "link.csv").symlink_to(settings.var / "ledger.csv")
    assert client(Role.ADMIN).get("/reports/files/2026-10/v1/link.csv").status_code == 404


def test_without_a_report_the_page_says_how_one_is_made(client: Client) -> None:
    assert "vapewatch report 2026-10" in client(Role.SUPERVISOR).get("/reports").text
