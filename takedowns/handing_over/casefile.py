"""What stands in a case file, an answer and a receipt: the shapes of case.json, answer.json and receipt.json.

Whoever reads one trusts nothing in it: every text has a bound, every time its zone, unknown keys are refused.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from classifiers.verdict import Label
from crawlers.listing import Presence, SellerKind
from takedowns.content import storable
from takedowns.handing_over.package import Strict, written
from takedowns.ledger.vocabulary import Finding, Measure, VerificationOutcome
from takedowns.states import LeadState, TipState

CASE, ANSWER, RECEIPT = "case.json", "answer.json", "receipt.json"
LEADS_AT_MOST = 500
FACTS_AT_MOST = 1000
YEARS = (2000, 2100)

Kept = AfterValidator(storable)  # a ledger must be able to hold it
Line = Annotated[str, Field(min_length=1, max_length=500), Kept]
Number = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w.:-]+$"), Kept]
Address = Annotated[str, Field(max_length=2000), Kept]
Text = Annotated[str, Field(max_length=20_000), Kept]


def _of_our_days(moment: datetime) -> datetime:
    """Others are slips, or made to overflow somewhere."""
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise ValueError(f"{moment.year} is no year for a case")
    return moment


Time = Annotated[AwareDatetime, AfterValidator(_of_our_days)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Office(Strict):
    """Who sends it."""

    code: Number
    name_zh: Line
    name_en: Line
    contact: Line


class Shop(Strict):
    kind: SellerKind
    id: Line
    name: Text
    url: Address | None


class Decided(Strict):
    """What a person of the sending office holds to be so: a suspicion, as all that leaves that office."""

    finding: Finding
    category: Label | None
    decided_at: Time


class Seen(Strict):
    """One look at the listing."""

    state: Presence
    reason: Line
    observed_at: Time


class Claimed(Strict):
    """What the platform said it did."""

    measure: Measure
    claimed_at: Time | None
    received_at: Time
    text: Text


class Found(Strict):
    """What the looks amount to."""

    outcome: VerificationOutcome
    observed_at: Time


class CaseLead(Strict):
    """``evidence`` names the pack in the package; None: the sending office kept no page."""

    number: Number
    state: LeadState
    platform: Line
    item_id: Line
    url: Address
    title: Text
    description: Text
    price: Line | None
    seller: Shop | None
    decision: Decided
    sightings: Annotated[tuple[Seen, ...], Field(max_length=FACTS_AT_MOST)]
    claims: Annotated[tuple[Claimed, ...], Field(max_length=FACTS_AT_MOST)]
    findings: Annotated[tuple[Found, ...], Field(max_length=FACTS_AT_MOST)]
    evidence: Address | None


class Case(Strict):
    """case.json."""

    number: Number
    office: Office
    to: Line
    reason: Text
    created_at: Time
    due_at: Time
    leads: Annotated[tuple[CaseLead, ...], Field(min_length=1, max_length=LEADS_AT_MOST)]

    @model_validator(mode="after")
    def _names_each_lead_once(self) -> Self:
        if len({lead.number for lead in self.leads}) < len(self.leads):
            raise ValueError("two leads have one number")
        return self


class LeadAnswer(Strict):
    """What became of one lead at the office that got it; ``leads`` are that office's own, with outcomes."""

    number: Number
    tip: Number | None
    tip_state: TipState | None
    decision: Finding | None
    leads: Annotated[tuple[OwnLead, ...], Field(max_length=FACTS_AT_MOST)]


class OwnLead(Strict):
    number: Number
    state: LeadState
    outcome: VerificationOutcome | None


class Answer(Strict):
    """answer.json: ``answers`` and ``package_sha256`` are of the package that was handed over."""

    number: Number
    answers: Number
    package_sha256: Digest
    office: Office
    answered_at: Time
    result: Annotated[Text, Field(min_length=1)]
    leads: Annotated[tuple[LeadAnswer, ...], Field(min_length=1, max_length=LEADS_AT_MOST)]


class Receipt(Strict):
    """receipt.json: whoever wrote it has the package ``number``, whose hash is the key of ``seal``."""

    format: Literal["vapewatch-receipt"]
    version: Literal[1]
    number: Number
    their_number: Number
    office: Office
    received_at: Time
    leads: Annotated[int, Field(ge=0)]
    tips: Annotated[int, Field(ge=0)]
    seal: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""

    def sealed(self, package_sha256: str) -> Self:
        return self.model_copy(update={"seal": self._seal(package_sha256)})

    def is_sealed_by(self, package_sha256: str) -> bool:
        return hmac.compare_digest(self.seal, self._seal(package_sha256))

    def _seal(self, package_sha256: str) -> str:
        open_one = written(self.model_copy(update={"seal": ""}))
        return hmac.new(package_sha256.encode(), open_one, hashlib.sha256).hexdigest()


LeadAnswer.model_rebuild()
