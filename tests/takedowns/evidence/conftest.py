"""A house for which every listing is a violation, and run directories with pages of our own."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from classifiers.verdict import Label, ListingText, Verdict
from crawlers.answer import Answer
from crawlers.evidence import EvidenceWriter
from crawlers.rundir import CrawlJob, Run, RunKind, job_file, read_run
from takedowns import configuration
from takedowns.context import Context
from takedowns.evidence.store import Store
from takedowns.ledger.engine import Ledger
from tests.crawlers.shop import shop_profile, targets

NOON = datetime(2026, 10, 14, 4, 0, tzinfo=UTC)
HOSTILE = '</title><script>fetch("/ran")</script>雾化\u202e../../etc/passwd\r\n# 标题'


class Suspicious:
    """A classifier for which everything is a violation."""

    def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
        for listing in listings:
            yield Verdict(
                id=listing.id,
                label=Label.DISGUISED_MEDICAL,
                score=0.97,
                flagged=True,
                scores=dict.fromkeys(Label, 0.0) | {Label.DISGUISED_MEDICAL: 0.97},
                signals=(),
                claims=(),
                lexicon_version="1",
                model_version="1",
            )


def drawing(seed: int = 3) -> bytes:
    image = Image.new("RGB", (120, 120), "white")
    pen = ImageDraw.Draw(image)
    for step in range(6):
        pen.rectangle(
            (5 + step * 11, 7 * seed, 30 + step * 13, 40 + step * seed * 3), fill=(30 * step, 90, 40)
        )
    drawn = io.BytesIO()
    image.save(drawn, "PNG")
    return drawn.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "var" / "evidence")


def opened(folder: Path, home: str) -> Context:
    """The house whose ledger and ``var`` are in ``folder``, with the shop at ``home``."""
    settings = configuration.settings(configuration.SHIPPED).model_copy(update={"var": folder / "var"})
    fields = {"title": {"css": "h1.title"}, "images": {"css": "img.photo::attr(src)"}}
    canary = {"alive": "{home}/item/1.html", "absent": "{home}/item/0.html"}
    platforms = {"corner": shop_profile(home, fields=fields, canary=canary)}
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
    made = Context(configuration.SHIPPED, settings, platforms, ledger, lambda: NOON)
    made.__dict__["classifier"] = Suspicious()
    made.__dict__["panels"] = {}
    return made


@pytest.fixture
def written_run(tmp_path: Path) -> Any:
    """Writes a run directory with the given pages, as a crawl does; returns the run and its references."""

    def write(name: str, *bodies: bytes) -> tuple[Run, list[str]]:
        folder = tmp_path / "var" / "runs" / name
        folder.mkdir(parents=True)
        home = "http://mall.example"
        job = CrawlJob(
            run_id=name,
            kind=RunKind.RECHECK,
            platform=shop_profile(home),
            targets=targets(home, "1"),
            contact="ops@bureau.example",
        )
        job_file(folder).write_text(job.model_dump_json(), encoding="utf-8")
        writer = EvidenceWriter(folder, job, "Vapewatch/1 (+ops@bureau.example)")
        url = f"{home}/item/1.html"
        found = [
            writer.write(Answer(url, url, 200, body, {"content-type": "text/html"}), NOON) for body in bodies
        ]
        writer.close()
        return read_run(folder), [f"{name}/{reference}" for reference in found]

    return write
