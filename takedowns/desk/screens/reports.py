"""The finished reports' files, for downloading; the desk never opens one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response

from takedowns.desk.visit import Here

router = APIRouter()
SUFFIXES = frozenset({".html", ".xlsx", ".csv", ".json", ".pdf", ".docx"})


@dataclass(frozen=True)
class ReportFile:
    """``path`` is relative to the folder of reports."""

    path: str
    name: str
    size: int


@router.get("/reports", name="reports")
def reports(visit: Here) -> Response:
    return visit.page("reports.html", folders=_folders(visit.desk.settings.var / "reports"))


@router.get("/reports/files/{path:path}", name="report_file")
def report_file(visit: Here, path: str) -> Response:
    """Always as a download: a report's page would otherwise run in the desk's own origin."""
    if not path.isprintable():  # no file system takes a NUL
        raise HTTPException(404)
    root = (visit.desk.settings.var / "reports").resolve()
    asked = (root / path).resolve()
    if not asked.is_relative_to(root) or not asked.is_file() or asked.suffix not in SUFFIXES:
        raise HTTPException(404)
    return FileResponse(asked, filename=asked.name)


def _folders(root: Path) -> dict[str, list[ReportFile]]:
    """Folder → its files, newest period first."""
    found: defaultdict[str, list[ReportFile]] = defaultdict(list)
    for path in sorted(root.rglob("*")):
        if path.suffix in SUFFIXES and path.is_file():
            relative = path.relative_to(root)
            found[relative.parent.as_posix()].append(
                ReportFile(relative.as_posix(), path.name, path.stat().st_size)
            )
    return dict(sorted(found.items(), reverse=True))
