from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from classifiers import labelled
from classifiers.labelled import Row
from classifiers.verdict import Label
from takedowns.learning import decisions
from takedowns.ledger import tables
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Finding


@pytest.fixture
def decide(ledger: Ledger, make: Any, analyst: tables.User) -> Any:
    """Decides a listing with the given words; ``listing`` says that it is one decided before."""

    def add(title: str = "果萃棒", *, listing: int | None = None, signals: Any = (), **given: Any) -> int:
        with ledger.write() as session:
            row = session.get_one(tables.Listing, listing) if listing else make.listing(session)
            content = {
                name: given.pop(name) for name in ("description", "attributes", "price_raw") if name in given
            }
            snapshot = make.snapshot(session, row, title=title, **content)
            verdict = make.verdict(session, snapshot, payload={"signals": list(signals)})
            task = make.task(session, snapshot)
            make.decision(session, task, analyst, verdict_id=verdict.id, **given)
            return int(row.id)

    return add


LAWFUL = {"finding": Finding.NOT_VIOLATION, "reason": "lawful_other_goods"}


def rows(ledger: Ledger, held_out: tuple[Row, ...] = ()) -> list[Row]:
    with ledger.read() as session:
        return decisions.training_rows(decisions.decided(session), held_out)


def test_a_persons_label_outranks_the_machines(ledger: Ledger, decide: Any) -> None:
    decide("果萃棒", category=Label.DISGUISED_DRINK)  # the verdict says disguised_medical
    decide("加湿器", **LAWFUL)  # and that this is one, too
    assert {row.title: row.label for row in rows(ledger)} == {
        "果萃棒": Label.DISGUISED_DRINK,
        "加湿器": Label.BENIGN,
    }


def test_the_newest_decision_on_a_wording_counts(ledger: Ledger, decide: Any) -> None:
    listing = decide("果萃棒")
    decide("果 萃 棒", listing=listing, **LAWFUL)
    [row] = rows(ledger)
    assert row.label is Label.BENIGN


def test_another_wording_of_the_same_listing_is_another_row(ledger: Ledger, decide: Any) -> None:
    listing = decide("果萃棒")
    decide("茶杯", listing=listing, **LAWFUL)
    assert [row.label for row in rows(ledger)] == [Label.DISGUISED_MEDICAL, Label.BENIGN]


def test_copies_of_one_offer_are_one_row(ledger: Ledger, decide: Any) -> None:
    for _ in range(10):
        decide("果萃棒")
    assert len(rows(ledger)) == 1


def test_an_undone_decision_teaches_nothing_but_leaves_others_theirs(ledger: Ledger, decide: Any) -> None:
    listing = decide("果萃棒")
    decide("果萃棒", listing=listing, finding=Finding.UNDETERMINED)
    assert rows(ledger) == []
    decide("果萃棒")
    assert len(rows(ledger)) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"finding": Finding.NOT_VIOLATION, "reason": "duplicate"},
        {"finding": Finding.NOT_VIOLATION, "reason": "wrong_text"},
        {"finding": Finding.UNDETERMINED},
        {"finding": Finding.INVALID},
    ],
)
def test_what_says_nothing_of_the_goods_teaches_nothing(ledger: Ledger, decide: Any, given: Any) -> None:
    decide(**given)
    assert rows(ledger) == []


def test_every_reason_for_lawful_is_known_to_review() -> None:
    from takedowns import review

    assert set(review.REASONS) - decisions.LAWFUL_REASONS == {"duplicate", "wrong_text"}


def test_a_row_holds_what_the_seller_wrote(ledger: Ledger, decide: Any) -> None:
    decide("果萃\u200b棒", description="一次性\n冰感", attributes={"容量": "2ml"}, price_raw="¥59")
    [row] = rows(ledger)
    assert row.id.startswith("LEDGER-")
    assert (row.title, row.description, row.attributes) == ("果萃\u200b棒", "一次性\n冰感", {"容量": "2ml"})
    assert (row.price, row.platform, row.lang) == ("¥59", "sample", "zh")
    assert row.shop.startswith("康康")
    assert row.why.startswith("decision ")


def test_no_private_handle_leaves_the_ledger(ledger: Ledger, decide: Any) -> None:
    title, description = (
        "果萃棒 加薇 cloudking88",
        "微信：vapor_king99 电话13812345678 邮箱 king@mail.example",
    )
    signal = {"kind": "contact", "field": "title", "start": title.index("加薇"), "end": title.index(" cloud")}
    decide(title, description=description, attributes={"联系": "QQ 123456789"}, signals=[signal])
    [row] = rows(ledger)
    text = row.model_dump_json()
    for handle in ("cloudking88", "vapor_king99", "13812345678", "king@mail", "123456789"):
        assert handle not in text
    assert "加薇 cl•••••••••" in row.title


def test_what_the_model_is_measured_on_is_not_learnt(ledger: Ledger, decide: Any) -> None:
    held_out = labelled.rows("test")[0]
    decide(f"\u200b{held_out.title}")
    decide("果萃棒")
    assert [row.title for row in rows(ledger, (held_out,))] == ["果萃棒"]


def test_the_same_wording_has_the_same_id_in_every_ledger(ledger: Ledger, decide: Any) -> None:
    decide("果萃棒", attributes={"容量": "2ml", "口数": "8000"})
    [row] = rows(ledger)
    assert (
        row.id
        == "LEDGER-"
        + decisions.wording(
            tables.ListingSnapshot(
                title="果·萃·棒", description="一次性 8000口", attributes={"口数": "8000", "容量": "2ml"}
            )
        )[:16]
    )


def test_rows_are_written_one_a_line_as_training_reads_them(
    ledger: Ledger, decide: Any, tmp_path: Path
) -> None:
    decide("果萃棒\u2028第二行")
    decide("茶杯", **LAWFUL)
    file = tmp_path / "learning" / "decided.jsonl"
    decisions.write_rows(rows(ledger), file)
    assert [json.loads(line)["label"] for line in file.read_text("utf-8").rstrip("\n").split("\n")] == [
        "disguised_medical",
        "benign",
    ]
    assert labelled.rows(corpus=file.parent) == rows(ledger)


def test_words_come_from_confirmed_and_from_lawful_and_unflagged_listings(
    ledger: Ledger, decide: Any, make: Any
) -> None:
    decide("果萃棒 微信 vapor_king99")
    decide("茶杯", **LAWFUL)
    with ledger.write() as session:
        for title, flagged in (("雨伞", False), ("电子烟", True)):
            snapshot = make.snapshot(session, make.listing(session), title=title)
            make.verdict(session, snapshot, flagged=flagged)
        labels = decisions.decided(session)
    confirmed = decisions.confirmed_texts(labels)
    lawful = list(decisions.lawful_texts(labels, ledger))
    assert [text.text.split("\n")[0] for text in confirmed] == ["果萃棒 微信 va••••••••••"]
    assert [text.text.split("\n")[0] for text in lawful] == ["茶杯", "雨伞"]
    assert len({text.seller for text in lawful}) == 2


def test_a_confirmed_listing_that_lost_its_flag_is_not_lawful(ledger: Ledger, decide: Any, make: Any) -> None:
    listing = decide("果萃棒")
    with ledger.write() as session:
        [snapshot] = session.get_one(tables.Listing, listing).snapshots
        make.verdict(session, snapshot, flagged=False, model_version="model-2")
        labels = decisions.decided(session)
    assert list(decisions.lawful_texts(labels, ledger)) == []


def test_a_listing_without_a_flag_is_no_proof_that_a_term_is_lawful(
    ledger: Ledger, decide: Any, make: Any
) -> None:
    decide("茶杯 礼盒", **LAWFUL)
    with ledger.write() as session:
        make.verdict(session, make.snapshot(session, make.listing(session), title="溢岚晶芯"), flagged=False)
        known = list(decisions.known_lawful(decisions.decided(session)))
    assert known[0].startswith("茶杯 礼盒\n")
    assert not any("溢岚晶芯" in text for text in known)
    assert len(known) > 500  # the corpus
