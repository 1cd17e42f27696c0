"""A report onto disk: every format from the same Report, and the same Report to the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from takedowns.reports import csvfile, html, jsonfile, xlsx
from takedowns.reports.definitions import LANGS, Lang
from takedowns.reports.figures import Report
from takedowns.reports.imprint import Imprint

ANONYMOUS = Imprint()


def write_report(
    report: Report, folder: Path, *, langs: Iterable[Lang] = LANGS, imprint: Imprint = ANONYMOUS
) -> dict[str, str]:
    """Write ``vapewatch-<period>.{<lang>.html,xlsx,csv,json}``; return file name → SHA-256.

    Files of an earlier writing are replaced, each at once. The JSON file names the hashes of the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes: dict[str, str] = {}
    for name, content in _files(report, langs, imprint, hashes):
        _replace(folder / name, content)
        hashes[name] = hashlib.sha256(content).hexdigest()
    return hashes


def _files(
    report: Report, langs: Iterable[Lang], imprint: Imprint, hashes: dict[str, str]
) -> Iterator[tuple[str, bytes]]:
    stem = f"vapewatch-{report.period}"
    for lang in langs:
        yield f"{stem}.{lang}.html", html.render(report, lang, imprint, annex=f"{stem}.xlsx")
    yield f"{stem}.xlsx", xlsx.render(report, imprint)
    yield f"{stem}.csv", csvfile.render(report, imprint)
    yield f"{stem}.json", jsonfile.render(report, hashes)


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
