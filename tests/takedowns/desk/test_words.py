from __future__ import annotations

from enum import StrEnum

import pytest

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from takedowns import leads, letters, notices, review, roles
from takedowns.desk.words import WORDS
from takedowns.ledger.vocabulary import (
    Finding,
    Measure,
    RelistingKind,
    Role,
    RunState,
    VerificationOutcome,
)
from takedowns.states import LeadState, NoticeState, TaskState

ENUMS: dict[str, type[StrEnum]] = {
    "label": Label,
    "finding": Finding,
    "task_state": TaskState,
    "lead_state": LeadState,
    "notice_state": NoticeState,
    "outcome": VerificationOutcome,
    "presence": Presence,
    "measure": Measure,
    "relisting": RelistingKind,
    "role": Role,
    "run_state": RunState,
    "seller_kind": SellerKind,
}


@pytest.mark.parametrize("kind", ENUMS)
def test_each_code_of_the_vocabulary_has_words_and_no_other(kind: str) -> None:
    assert set(WORDS[kind]) == {member.value for member in ENUMS[kind]}


def test_each_reason_for_a_dismissal_has_words() -> None:
    assert set(WORDS["reason"]) == set(review.REASONS)


def test_each_refusal_of_the_services_has_words() -> None:
    bases = [review.ReviewError, leads.LeadError, notices.NoticeError]
    codes = {error.code for base in bases for error in base.__subclasses__()}
    codes |= {letters.LetterError.code, roles.NotAllowedError.code, "config"}
    assert codes <= set(WORDS["refusal"])
