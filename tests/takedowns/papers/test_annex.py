from __future__ import annotations

import io
import zipfile
from datetime import datetime

import openpyxl
import pytest
import sqlalchemy as sa

from takedowns.imports.tabular import plain_name
from takedowns.ledger.tables import PlatformResponse
from takedowns.ledger.vocabulary import Measure
from takedowns.papers import annex
from takedowns.replies import columns, importing

HOSTILE = [
    '=HYPERLINK("http://evil.invalid","x")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "-2",
    "\x0b\ufffe\ufdd0雾\u202e化\ud800",
    "A" * 10_000,
]
FIELDS = ["measure", "claimed_at", "information", "merchants", "accounts", "mini_programs", "text"]


def _opened(data):
    return openpyxl.load_workbook(io.BytesIO(data)).active


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_filled_in_annex_comes_back_as_claims(ledger, drafted, platform, tmp_path, now, lang):
    with ledger.write() as session:
        notice = drafted(session, ["医用雾化器", "植物饮料"], lang)
        book = openpyxl.load_workbook(io.BytesIO(annex.render(notice)))
        chosen = annex.WORDS[lang].measures
        sheet = book.active
        for column, cell in enumerate(
            [
                chosen[Measure.DELETED],
                datetime(2026, 10, 11, 9, 30),  # noqa: DTZ001  (cells know no zone)
                12,
                1,
                2,
                3,
                "已核实",
            ],
            7,
        ):
            sheet.cell(4, column).value = cell
        sheet.cell(5, 7).value = f"{chosen[Measure.BLOCKED]}、{chosen[Measure.SHOP_CLOSED]}"
        book.save(tmp_path / "reply.xlsx")
        result = importing.import_file(
            session, tmp_path / "reply.xlsx", platforms={"sample": platform}, now=now
        )
        claims = session.scalars(sa.select(PlatformResponse).order_by(PlatformResponse.id)).all()
        assert result.errors == []
        assert (result.accepted, result.reports) == (3, 4)
        assert [claim.measure for claim in claims] == [Measure.DELETED, Measure.BLOCKED, Measure.SHOP_CLOSED]
        assert [claim.lead_id for claim in claims] == [notice.leads[at].id for at in (0, 1, 1)]
        assert (claims[0].claimed_at, claims[0].text) == (
            datetime.fromisoformat("2026-10-11T09:30+08:00"),
            "已核实",
        )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_heading_and_measure_is_known_to_those_who_read_it_back(lang):
    words = annex.WORDS[lang]
    assert [columns.FIELD_OF[plain_name(name)] for name in words.filled_in] == FIELDS
    given = [columns.FIELD_OF.get(plain_name(name)) for name in words.given]
    assert given == ["lead_number", "platform", "item_id", "link", None, None]
    assert {measure: columns.measures(word) for measure, word in words.measures.items()} == {
        measure: [measure] for measure in Measure
    }


def test_what_sellers_wrote_is_text(sqlite_ledger, drafted):
    with sqlite_ledger.write() as session:
        notice = drafted(session, ["雾化器"] * len(HOSTILE))
        for lead, title in zip(notice.leads, HOSTILE, strict=True):
            lead.decision.snapshot.title = lead.listing.seller.name = title
        with session.no_autoflush:  # no ledger holds a lone surrogate
            data = annex.render(notice)
        session.rollback()
    rows = list(_opened(data).iter_rows(min_row=4, max_col=6))
    assert {cell.data_type for row in rows for cell in row} == {"s"}
    assert [row[5].value for row in rows[:5]] == [*HOSTILE[:4], "雾化"]
    assert len(rows[5][5].value) == 120
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert not any(
            mark in parts.read(name) for name in parts.namelist() for mark in (b"<f>", b"<hyperlink")
        )


def test_the_measures_are_offered_as_a_list_and_the_header_stays_in_sight(sqlite_ledger, drafted):
    with sqlite_ledger.write() as session:
        sheet = _opened(annex.render(drafted(session, ["雾化器"] * 3)))
    assert sheet.freeze_panes == "B4"
    choice, counts = sheet.data_validations.dataValidation
    assert (str(choice.sqref), str(counts.sqref)) == ("G4:G6", "I4:L6")
    assert choice.formula1.strip('"').split(",") == list(annex.WORDS["zh"].measures.values())


def test_the_same_rows_give_the_same_bytes_and_tell_no_other_time(sqlite_ledger, drafted, now):
    with sqlite_ledger.write() as session:
        notice = drafted(session, ["医用雾化器"])
        data = annex.render(notice)
        assert annex.render(notice) == data
    assert openpyxl.load_workbook(io.BytesIO(data)).properties.created == now.replace(tzinfo=None)
