from __future__ import annotations

from typing import Any

from classifiers.lexicon import Bilingual, Concept
from takedowns.desk.reasons import SHOWN_AT_MOST, explain, top_names

CONCEPTS = {
    "measure.puffs": Concept(
        name=Bilingual(zh="口数", en="Puff count"),
        sentence=Bilingual(zh="按口计量。", en="It is counted in puffs."),
    ),
    "claim.MR2": Concept(
        name=Bilingual(zh="机关不符", en="Wrong authority"),
        sentence=Bilingual(zh="机关与类别不符。", en="The authority does not fit the class."),
    ),
}


def signal(**given: Any) -> dict[str, Any]:
    fields = {
        "kind": "measure",
        "concept": "measure.puffs",
        "text": "8000口",
        "field": "title",
        "start": 0,
        "end": 5,
        "contribution": 1.0,
        "why": "measure.puffs",
    }
    return {**fields, **given}


def payload(*signals: dict[str, Any], claims: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"scores": {}, "signals": list(signals), "claims": list(claims)}


def test_the_strongest_reason_comes_first_whichever_way_it_points() -> None:
    found = explain(payload(signal(contribution=0.5), signal(contribution=-2.0)), CONCEPTS, "en").reasons
    assert [(reason.number, reason.contribution, reason.share) for reason in found] == [
        (1, -2.0, -1.0),
        (2, 0.5, 0.25),
    ]


def test_a_reason_is_named_in_the_readers_language() -> None:
    named = {lang: explain(payload(signal()), CONCEPTS, lang).reasons[0] for lang in ("zh", "en")}
    assert (named["zh"].name, named["zh"].sentence) == ("口数", "按口计量。")
    assert (named["en"].name, named["en"].sentence) == ("Puff count", "It is counted in puffs.")


def test_a_concept_that_no_file_names_stands_for_itself() -> None:
    reason = explain(payload(signal(concept="new.thing", why="new.thing")), CONCEPTS, "zh").reasons[0]
    assert (reason.name, reason.sentence) == ("new.thing", "new.thing")


def test_a_disguised_word_shows_what_it_was_read_as() -> None:
    (reason,) = explain(payload(signal(why="read_as:电子烟")), CONCEPTS, "zh").reasons
    assert reason.read_as == "电子烟"


def test_a_private_handle_is_covered_in_the_list_too() -> None:
    (reason,) = explain(payload(signal(kind="contact", text="微信 vapor_king88")), CONCEPTS, "zh").reasons
    assert reason.quote == "微信 va••••••••••"


def test_marks_and_lines_share_their_numbers() -> None:
    claim = {
        "kind": "device_registration",
        "text": "国械注准20222080001",
        "field": "attributes.注册证号",
        "start": 0,
        "end": 15,
        "status": "inconsistent",
        "reasons": ["MR2"],
    }
    found = explain(payload(signal(), claims=(claim,)), CONCEPTS, "en")
    assert [span.reason for span in found.spans["title"]] == [found.reasons[0].number]
    assert [span.reason for span in found.spans["attributes.注册证号"]] == [found.checks[0].number]
    assert found.checks[0].findings == ("The authority does not fit the class.",)


def test_no_more_reasons_are_listed_than_anybody_reads() -> None:
    found = explain(payload(*[signal()] * 100), CONCEPTS, "en")
    assert (len(found.reasons), found.not_shown) == (SHOWN_AT_MOST, 100 - SHOWN_AT_MOST)


def test_a_list_names_only_what_speaks_for_a_violation() -> None:
    signals = [signal(contribution=-3.0, concept="ordinary.drink"), signal(), signal()]
    assert top_names(payload(*signals), CONCEPTS, "en", 2) == ["Puff count"]
