from __future__ import annotations

from enum import StrEnum

import pytest

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from takedowns import dispatches, leads, letters, notices, review, roles, tips
from takedowns.desk.words import WORDS
from takedowns.handing_over import handovers, package
from takedowns.ledger.vocabulary import (
    DispatchKind,
    DispatchState,
    Finding,
    Measure,
    RelistingKind,
    Role,
    RunState,
    VerificationOutcome,
)
from takedowns.states import HandoverState, LeadState, NoticeState, TaskState, TipState

ENUMS: dict[str, type[StrEnum]] = {
    "label": Label,
    "finding": Finding,
    "task_state": TaskState,
    "lead_state": LeadState,
    "notice_state": NoticeState,
    "dispatch_kind": DispatchKind,
    "dispatch_state": DispatchState,
    "tip_state": TipState,
    "handover_state": HandoverState,
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
    bases = [review.ReviewError, leads.LeadError, notices.NoticeError, dispatches.DispatchError]
    codes = {error.code for base in bases for error in base.__subclasses__()}
    services: list[type[tips.TipError | handovers.HandoverError]] = [tips.TipError, handovers.HandoverError]
    codes |= {error.code for base in services for error in (base, *base.__subclasses__())}
    codes |= {package.PackageError.code}
    codes |= {letters.LetterError.code, roles.NotAllowedError.code, "config"}
    assert codes <= set(WORDS["refusal"])
