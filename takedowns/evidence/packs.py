"""The evidence pack of a lead: what was seen, how it looked, who handled it; to be handed out as one zip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers import warc
from takedowns.evidence import dossier, keeping, reading
from takedowns.evidence.dossier import Exhibit
from takedowns.evidence.packing import packed
from takedowns.evidence.pictures import Origin, PictureFacts
from takedowns.evidence.reading import Reference
from takedowns.evidence.store import Store
from takedowns.evidence.viewing import viewable
from takedowns.ledger import audit
from takedowns.ledger.tables import AuditEntry, Lead, User
from takedowns.letters import clean
from takedowns.settings import Office

ZONE = ZoneInfo("Asia/Shanghai")
HANDED_OUT = "evidence.pack"  # told in the audit chain, and no part of a pack: packing again changes nothing
EXHIBITS_AT_MOST = 20  # the page that was judged, and the newest captures
STAFF = "staff"  # stands for every name in what leaves the house
ONE_LINE = 500  # characters of what a seller wrote, in a text for people
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
}


def pack(session: Session, store: Store, lead: Lead, *, office: Office, outward: bool = False) -> bytes:
    """The zip; ``outward``: without names of staff, notes and scores.

    Raises ValueError when evidence was changed: a pack must not vouch for it.
    """
    files: dict[str, bytes] = {}
    chosen = _chosen(dossier.exhibits(session, store, lead.listing), lead)
    keeping.check(session, store, {one.reference.run_id for one in chosen if one.reference})
    told = [_add_exhibit(files, store, number, one) for number, one in enumerate(chosen, 1)]
    pictures = dossier.pictures_of(session, store, lead.listing)
    custody = [_entry(entry, outward) for entry in _custody(session, lead, chosen)]
    metadata = {
        **_metadata(lead, outward),
        "exhibits": told,
        "pictures": [_add_picture(files, store, *one) for one in pictures],
    }
    files["metadata.json"] = _json(metadata)
    files["custody.json"] = _json(custody)
    for lang in ("zh", "en"):
        files[f"README.{lang}.txt"] = _readme(lang, metadata, custody, office, outward).encode()
    return packed(files)


def hand_out(session: Session, lead: Lead, pack: bytes, user: User, *, now: datetime) -> str:
    """Tell in the audit chain that ``user`` got this pack; returns its SHA-256."""
    sha256 = hashlib.sha256(pack).hexdigest()
    payload = {"sha256": sha256, "bytes": len(pack)}
    subject = f"lead:{lead.id}"
    audit.record(session, at=now, actor=user.login, action=HANDED_OUT, subject=subject, payload=payload)
    return sha256


def holds_evidence(session: Session, store: Store, lead: Lead) -> bool:
    """Whether a pack of it would have a page or a picture in it."""
    chosen = _chosen(dossier.exhibits(session, store, lead.listing), lead)
    if any(_is_there(store, one.reference) for one in chosen if one.reference):
        return True
    return bool(dossier.pictures_of(session, store, lead.listing))


def _is_there(store: Store, page: Reference) -> bool:
    try:
        reading.file_of(store, page)
    except LookupError:
        return False
    return True


def _chosen(exhibits: Sequence[Exhibit], lead: Lead) -> list[Exhibit]:
    """The page that the reviewer had before them, and every capture, newest first where they are too many."""
    judged = [one for one in exhibits if one.snapshot_id == lead.decision.snapshot_id]
    seen = [one for one in exhibits if one.what == "capture" and one.reference]
    kept = [*judged, *seen[-(EXHIBITS_AT_MOST - len(judged)) :]]
    return sorted(kept, key=lambda one: (one.at, one.what))


def _add_exhibit(files: dict[str, bytes], store: Store, number: int, one: Exhibit) -> dict[str, Any]:
    folder = f"exhibits/{number:02}-{one.what}-{one.at:%Y%m%dT%H%M%SZ}"
    told: dict[str, Any] = {
        "what": one.what,
        "observed_at": one.at.isoformat(),
        "state": str(one.state),
        "reason": one.reason,
        "cause": one.cause,
        "reference": str(one.reference) if one.reference else None,
    }
    if one.reference is None:
        return {**told, "missing": "it came by a file or a pasted link: no page was kept"}
    try:
        reading.vouch(store, one.reference)
        place = reading.file_of(store, one.reference)
        record = warc.find(place, one.reference.record_id)
    except LookupError:
        return {**told, "missing": "it is not in the evidence store"}
    files[f"{folder}/page.html"] = viewable(warc.answer_in(record))
    files[f"{folder}/records.warc.gz"] = warc.excerpt(place, one.reference.record_id)
    for view in (near for near in warc.beside(place, record.record_id) if near.uri.startswith(warc.VIEW)):
        files[f"{folder}/screenshot.png"] = view.payload
        told["screenshot"] = f"{folder}/screenshot.png"
    return {
        **told,
        "folder": folder,
        "recorded_at": record.at,
        "payload_sha256": record.sha256,
        "address": record.uri,
    }


def _add_picture(
    files: dict[str, bytes], store: Store, origin: Origin, facts: PictureFacts
) -> dict[str, Any]:
    """Raises ValueError when its bytes were changed."""
    ending = ENDINGS.get(facts.media_type.partition(";")[0].strip().lower(), "bin")
    name = f"pictures/{origin.sha256}.{ending}"
    files[name] = store.read(origin.sha256)
    return {"file": name, **origin.model_dump(mode="json"), **facts.model_dump(mode="json")}


def _metadata(lead: Lead, outward: bool) -> dict[str, Any]:
    listing, decision = lead.listing, lead.decision
    seller, snapshot = listing.seller, decision.snapshot
    verdict = next((one for one in snapshot.verdicts if one.id == decision.verdict_id), None)
    return {
        "lead": {"number": lead.number, "state": lead.state.value, "created_at": lead.created_at.isoformat()},
        "listing": {
            "platform": listing.platform,
            "item_id": listing.item_id,
            "url": listing.url,
            "first_seen_at": listing.first_seen_at.isoformat(),
            "content_sha256": snapshot.sha256,
            "title": snapshot.title,
            "description": snapshot.description,
            "attributes": snapshot.attributes,
            "price": snapshot.price_raw,
            "currency": snapshot.currency,
        },
        "seller": {"name": seller.name, "id": seller.external_id, "url": seller.url} if seller else None,
        "decision": {
            "finding": decision.finding.value,
            "category": decision.category.value if decision.category else None,
            "reviewer": STAFF if outward else decision.reviewer.login,
            "decided_at": decision.decided_at.isoformat(),
        },
        "verdict": None
        if verdict is None or outward
        else {
            "label": verdict.label.value,
            "score": verdict.score,
            "model_version": verdict.model_version,
            "lexicon_version": verdict.lexicon_version,
        },
        "notices": [
            {"number": notice.number, "sent_at": notice.sent_at.isoformat() if notice.sent_at else None}
            for notice in sorted(lead.notices, key=lambda notice: notice.number)
        ],
    }


def _custody(session: Session, lead: Lead, exhibits: Iterable[Exhibit]) -> Sequence[AuditEntry]:
    """What the audit chain says of the lead, its review, its notices, and the exhibits' runs."""
    runs = {f"crawl_run:{one.reference.run_id}" for one in exhibits if one.reference}
    notices = {f"notice:{notice.id}" for notice in lead.notices}
    subjects = {f"lead:{lead.id}", f"review_task:{lead.decision.task_id}"} | runs | notices
    told = (AuditEntry.subject.in_(subjects), AuditEntry.action != HANDED_OUT)
    return session.scalars(sa.select(AuditEntry).where(*told).order_by(AuditEntry.seq)).all()


def _entry(entry: AuditEntry, outward: bool) -> dict[str, Any]:
    names = ("seq", "actor", "action", "subject", "payload", "previous_hash", "hash")
    told = {**{name: getattr(entry, name) for name in names}, "at": entry.at.isoformat()}
    if outward:
        del told["payload"]
        told["actor"] = entry.actor if entry.actor.startswith("system:") else STAFF
    return told


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8", "replace")


def _readme(
    lang: str, metadata: dict[str, Any], custody: list[dict[str, Any]], office: Office, outward: bool
) -> str:
    listing, decision, seller = metadata["listing"], metadata["decision"], metadata["seller"]
    exhibits = metadata["exhibits"]
    return _template(lang).render(
        number=metadata["lead"]["number"],
        outward=outward,
        office_zh=office.name_zh,
        office_en=office.name_en,
        **{name: clean(str(listing[name]), ONE_LINE) for name in ("platform", "item_id", "url", "title")},
        seller=clean(seller["name"], ONE_LINE) if seller else "-",
        finding=decision["finding"],
        category=decision["category"] or "-",
        reviewer=clean(decision["reviewer"], ONE_LINE),
        decided_at=_here(decision["decided_at"]),
        missing=[
            f"{one['what']} {_here(one['observed_at'])}: {one['missing']}"
            for one in exhibits
            if "missing" in one
        ],
        screenshots=any(one.get("screenshot") for one in exhibits),
        custody=[{**entry, "at": _here(entry["at"])} for entry in custody],
    )


def _here(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


@cache
def _template(lang: str) -> jinja2.Template:
    text = (Path(__file__).parent / "templates" / f"readme.{lang}.j2").read_text(encoding="utf-8")
    plain = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701  (text, no HTML)
    return plain.from_string(text)
