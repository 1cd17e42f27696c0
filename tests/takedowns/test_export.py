from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from takedowns import export
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Base
from takedowns.reports.period import Period

OCTOBER = Period.parse("2026-10")


def _lead(session: Any, make: Any, **given: Any) -> tables.Lead:
    return make.lead(session, make.decision(session, make.task(session), make.user(session)), **given)


def _written(ledger: Ledger, path: Path, period: Period | None) -> tuple[dict[str, int], zipfile.ZipFile]:
    with ledger.read() as session:
        rows = export.write(session, path, period)
    return rows, zipfile.ZipFile(path)


def test_every_row_of_the_period_is_exported_and_no_other(ledger: Ledger, make: Any, tmp_path: Path) -> None:
    with ledger.write() as session:
        inside = _lead(session, make)
        _lead(session, make, created_at=OCTOBER.end)
        _lead(session, make, created_at=OCTOBER.start - timedelta(microseconds=1))
    rows, archive = _written(ledger, tmp_path / "all.zip", OCTOBER)
    leads = [json.loads(line) for line in archive.read("tables/lead.jsonl").splitlines()]
    assert [lead["number"] for lead in leads] == [inside.number]
    assert rows["tables/lead.jsonl"] == rows["leads.csv"] == 1


def test_without_a_period_every_table_is_exported_whole(ledger: Ledger, make: Any, tmp_path: Path) -> None:
    with ledger.write() as session:
        _lead(session, make)
    rows, _ = _written(ledger, tmp_path / "all.zip", None)
    with ledger.read() as session:
        for table in Base.metadata.sorted_tables:
            if table.name not in export.SECRET:
                count = session.scalar(sa.select(sa.func.count()).select_from(table))
                assert rows[f"tables/{table.name}.jsonl"] == count, table.name


def test_every_table_has_a_time_to_be_chosen_by() -> None:
    for table in Base.metadata.sorted_tables:
        known = {*export.PARENT, *export.WHOLE, *export.SECRET}
        assert table.name in known or set(export.WRITTEN) & set(table.columns.keys()), table.name


def test_no_password_and_no_session_leaves_the_house(ledger: Ledger, make: Any, tmp_path: Path) -> None:
    with ledger.write() as session:
        make.user(session, password_hash="argon2-secret")
    _, archive = _written(ledger, tmp_path / "all.zip", None)
    assert all(b"argon2-secret" not in archive.read(name) for name in archive.namelist())
    assert "tables/user_session.jsonl" not in archive.namelist()


def test_the_manifest_vouches_for_every_file(ledger: Ledger, make: Any, tmp_path: Path) -> None:
    with ledger.write() as session:
        _lead(session, make)
    _, archive = _written(ledger, tmp_path / "all.zip", OCTOBER)
    files = json.loads(archive.read("manifest.json"))["files"]
    assert {*files, "manifest.json"} == set(archive.namelist())
    for name, told in files.items():
        assert hashlib.sha256(archive.read(name)).hexdigest() == told["sha256"]


def test_a_title_that_looks_like_a_formula_is_text_in_the_table(
    ledger: Ledger, make: Any, tmp_path: Path
) -> None:
    with ledger.write() as session:
        lead = _lead(session, make)
        lead.listing.item_id = "=1+1"
    _, archive = _written(ledger, tmp_path / "all.zip", None)
    (row,) = csv.DictReader(io.StringIO(archive.read("leads.csv").decode("utf-8-sig")))
    assert row["item_id"] == "'=1+1"


def test_thousands_of_rows_come_without_a_cap(ledger: Ledger, now: datetime, tmp_path: Path) -> None:
    count = export.BATCH * 2 + 1
    with ledger.write() as session:
        session.execute(
            sa.insert(tables.Listing),
            [
                {"platform": "p", "item_id": str(n), "url": "u", "first_seen_at": now, "road": "sweep"}
                for n in range(count)
            ],
        )
    rows, _ = _written(ledger, tmp_path / "all.zip", OCTOBER)
    assert rows["tables/listing.jsonl"] == count
