"""What goes out with a notice: its letter, the annex to be filled in, and the evidence pack of each lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from takedowns.evidence import packs
from takedowns.evidence.store import Store
from takedowns.ledger.tables import Lead, Notice
from takedowns.ledger.vocabulary import DispatchKind
from takedowns.letters import LetterError
from takedowns.papers import annex, docx, letter, pdf
from takedowns.papers.letter import Evidence
from takedowns.settings import Settings

PACK = "application/zip"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Enclosure:
    """``name`` is a plain file name, ``data`` the file."""

    name: str
    media_type: str
    data: bytes


class EvidenceChangedError(LetterError):
    """A lead's evidence is not what was kept: nothing goes out that rests on it."""


def of_notice(session: Session, store: Store, notice: Notice, *, settings: Settings) -> list[Enclosure]:
    """Letter (.docx, .pdf), annex (.xlsx) and evidence packs (.zip): the same rows give the same bytes.

    Raises letters.LetterError: for a text that lost its form, evidence that was changed, a missing font.
    """
    zips, evidence = _evidence(session, store, notice, settings)
    written = letter.of_notice(notice, evidence, office=settings.office)
    return [
        Enclosure(f"{notice.number}.docx", docx.MEDIA_TYPE, docx.render(written)),
        Enclosure(f"{notice.number}.pdf", pdf.MEDIA_TYPE, pdf.render(written)),
        Enclosure(f"{notice.number}.xlsx", annex.MEDIA_TYPE, annex.render(notice)),
        *(Enclosure(f"{number}.zip", PACK, data) for number, data in zips.items()),
    ]


def sealed(store: Store, notice: Notice) -> list[Enclosure]:
    """The files that were kept when the notice was closed for sending; none before that.

    Raises OSError or ValueError for one that is missing in the store or was changed there.
    """
    closed = [one for one in notice.dispatches if one.kind is DispatchKind.NOTICE and one.files]
    files = closed[-1].files if closed else []
    return [Enclosure(file.name, file.media_type, store.read(file.sha256)) for file in files]


def _evidence(
    session: Session, store: Store, notice: Notice, settings: Settings
) -> tuple[Mapping[str, bytes], Mapping[str, Evidence]]:
    """The packs that go along, and what is said of each lead's; once one is too many, no more are made."""
    zips: dict[str, bytes] = {}
    told: dict[str, Evidence] = {}
    room = settings.notices.packs_at_most_mb * MEGABYTE
    for lead in notice.leads:
        kept = packs.holds_evidence(session, store, lead)
        told[lead.number] = Evidence.ON_REQUEST if kept else Evidence.NONE
        if kept and room:
            pack = _pack(session, store, lead, settings)
            if len(pack) > room:
                room = 0
                continue
            room -= len(pack)
            zips[lead.number] = pack
            told[lead.number] = Evidence.ENCLOSED
    return zips, told


def _pack(session: Session, store: Store, lead: Lead, settings: Settings) -> bytes:
    try:
        return packs.pack(session, store, lead, office=settings.office, outward=True)
    except ValueError as error:
        raise EvidenceChangedError(f"the evidence of lead {lead.number} cannot go out: {error}") from error
