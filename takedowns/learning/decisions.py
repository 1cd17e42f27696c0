"""What the desk teaches: decisions as rows to train on.

A person's label outranks the machine's, and the newest decision counts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from classifiers.labelled import Row, rows
from classifiers.normalize import normalize
from classifiers.verdict import Label, ListingText
from takedowns.desk.marks import Span, covered
from takedowns.learning import archive
from takedowns.learning.emerging import Text
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Decision, Listing, ListingSnapshot, Verdict
from takedowns.ledger.vocabulary import Finding

PREFIX = "LEDGER-"
# Lawful for what the listing says. Of a duplicate or a text that was read wrongly nothing can be learnt.
LAWFUL_REASONS = frozenset({"lawful_medical_device", "lawful_drink", "lawful_other_goods", "not_for_sale"})
# Handles that name themselves are covered as on the desk; on disk these go as well, whoever they belong to.
_REACHABLE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
CONFIRMED_AT_MOST = 3_000  # both bound the minute that looking for new words takes
UNFLAGGED_AT_MOST = 20_000
_CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Decided:
    """The newest decision on a wording, the verdict that the reviewer had before them, and what they said."""

    decision: Decision
    verdict: Verdict | None
    label: Label


def decided(session: Session) -> list[Decided]:
    """Wordings that a person has labelled, each once: of decisions on several listings the newest counts."""
    query = (
        sa.select(Decision, Verdict)
        .outerjoin(Verdict, Verdict.id == Decision.verdict_id)
        .options(joinedload(Decision.snapshot), joinedload(Decision.listing).joinedload(Listing.seller))
        .order_by(Decision.id)
    )
    newest: dict[tuple[int, str], tuple[Decision, Verdict | None]] = {}
    for decision, verdict in session.execute(query):
        # An undone decision is overridden by one that says nothing, and then there is none.
        newest[decision.listing_id, wording(decision.snapshot)] = decision, verdict
    labelled = [
        Decided(decision, verdict, label)
        for decision, verdict in newest.values()
        if (label := label_of(decision)) is not None
    ]
    labelled.sort(key=lambda one: one.decision.id)
    return list({wording(one.decision.snapshot): one for one in labelled}.values())


def label_of(decision: Decision) -> Label | None:
    """What a person says the listing is, whatever the machine said; None where they do not say."""
    if decision.finding is Finding.VIOLATION:
        return decision.category
    if decision.finding is Finding.NOT_VIOLATION and decision.reason in LAWFUL_REASONS:
        return Label.BENIGN
    return None


def wording(snapshot: ListingSnapshot) -> str:
    """A key that all listings with the same words share, however they hide them."""
    attributes = "\n".join(f"{name}\n{value}" for name, value in sorted(snapshot.attributes.items()))
    return _key(f"{snapshot.title}\n{snapshot.description}\n{attributes}")


def training_rows(labelled: Iterable[Decided], held_out: Iterable[Row]) -> list[Row]:
    """A row for each, without private handles; what the model is measured on is left out."""
    measured = {_key(row.title) for row in held_out}
    return [_row(one) for one in labelled if _key(one.decision.snapshot.title) not in measured]


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """JSON Lines; the file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    with unfinished.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{row.model_dump_json()}\n" for row in rows)
    unfinished.replace(path)


def confirmed_texts(labelled: Iterable[Decided]) -> list[Text]:
    """The words of the newest confirmed violations, without private handles."""
    return [_text(one) for one in labelled if one.label is not Label.BENIGN][-CONFIRMED_AT_MOST:]


def known_lawful(labelled: Iterable[Decided]) -> Iterator[str]:
    """The words of listings that a person has found lawful: at this desk, or in the corpus that ships.

    Not those that merely have no flag: a new term is added because listings without one hold it.
    """
    yield from (_text(one).text for one in labelled if one.label is Label.BENIGN)
    yield from (_words(row) for row in rows("train") if not row.violating)


def lawful_texts(labelled: Iterable[Decided], ledger: Ledger) -> Iterator[Text]:
    """The words of what was found lawful, then of the newest listings neither flagged nor decided."""
    yield from (_text(one) for one in labelled if one.label is Label.BENIGN)
    undecided = ~sa.exists().where(Decision.listing_id == Listing.id)
    unflagged = archive.pages(ledger, Verdict.flagged.is_(False), undecided, newest_first=True)
    for item in islice(chain.from_iterable(unflagged), UNFLAGGED_AT_MOST):
        yield Text(_words(item.text), str(item.seller_id or f"listing {item.listing_id}"))


def _text(one: Decided) -> Text:
    listing = one.decision.listing
    return Text(_words(_row(one)), str(listing.seller_id or f"listing {listing.id}"))


def _words(content: Row | ListingText) -> str:
    return "\n".join((content.title, content.description, *content.attributes.values()))


def _row(one: Decided) -> Row:
    decision, snapshot, listing = one.decision, one.decision.snapshot, one.decision.listing
    contacts = _contacts(one.verdict.payload if one.verdict else {})
    price = snapshot.price_raw or ("" if snapshot.price is None else str(snapshot.price))
    return Row(
        id=PREFIX + wording(snapshot)[:16],
        lang=snapshot.lang or ("zh" if _CHINESE.search(snapshot.title) else "en"),
        platform=listing.platform,
        title=_private(snapshot.title, contacts.get("title", ())),
        description=_private(snapshot.description, contacts.get("description", ())),
        attributes={
            name: _private(str(value), contacts.get(f"attributes.{name}", ()))
            for name, value in snapshot.attributes.items()
        },
        price=_private(price, contacts.get("price", ())),
        shop=_private(listing.seller.name, contacts.get("shop", ())) if listing.seller else "",
        label=one.label,
        why=f"decision {decision.id}: {decision.reason or decision.finding.value}",
    )


def _contacts(payload: Mapping[str, Any]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for signal in payload.get("signals", ()):
        if signal["kind"] == "contact":
            span = Span(signal["start"], signal["end"], 0, mask=True)
            found.setdefault(signal["field"], []).append(span)
    return found


def _private(text: str, contacts: Sequence[Span]) -> str:
    return _REACHABLE.sub(lambda found: found[0][:2] + "•" * (len(found[0]) - 2), covered(text, contacts))


def _key(text: str) -> str:
    canonical = "".join(normalize(text).text.split())
    return hashlib.sha256(canonical.encode()).hexdigest()
