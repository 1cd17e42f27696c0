"""The evidence pack of a lead: what was seen, how it looked, who handled it; to be handed out as one zip."""

from __future__ import annotations

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
from takedowns.evidence import dossier, reading
from takedowns.evidence.dossier import Exhibit
from takedowns.evidence.packing import packed
from takedowns.evidence.pictures import Origin, PictureFacts
from takedowns.evidence.store import Store
from takedowns.evidence.viewing import viewable
from takedowns.ledger.tables import AuditEntry, Lead
from takedowns.letters import clean
from takedowns.settings import Office

ZONE = ZoneInfo("Asia/Shanghai")
HANDED_OUT = "evidence.pack"  # told in the audit chain, and no part of a pack: packing again changes nothing
EXHIBITS_AT_MOST = 20  # the page that was judged, and the newest captures
ONE_LINE = 500  # characters of what a seller wrote, in a text for people
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
}


def pack(session: Session, store: Store, lead: Lead, *, office: Office) -> bytes:
    """The zip. Raises ValueError when evidence was changed: a pack must not vouch for it."""
    files: dict[str, bytes] = {}
    chosen = _chosen(dossier.exhibits(session, store, lead.listing), lead)
    told = [_add_exhibit(files, store, number, one) for number, one in enumerate(chosen, 1)]
    pictures = dossier.pictures_of(store, lead.listing)
    custody = [_entry(entry) for entry in _custody(session, lead, chosen)]
    metadata = {
        **_metadata(lead),
        "exhibits": told,
        "pictures": [_add_picture(files, store, *one) for one in pictures],
    }
    files["metadata.json"] = _json(metadata)
    files["custody.json"] = _json(custody)
    for lang in ("zh", "en"):
        files[f"README.{lang}.txt"] = _readme(lang, metadata, custody, office).encode()
    return packed(files)


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


def _metadata(lead: Lead) -> dict[str, Any]:
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
            "reviewer": decision.reviewer.login,
            "decided_at": decision.decided_at.isoformat(),
        },
        "verdict": None
        if verdict is None
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


def _entry(entry: AuditEntry) -> dict[str, Any]:
    names = ("seq", "actor", "action", "subject", "payload", "previous_hash", "hash")
    return {**{name: getattr(entry, name) for name in names}, "at": entry.at.isoformat()}


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8", "replace")


def _readme(lang: str, metadata: dict[str, Any], custody: list[dict[str, Any]], office: Office) -> str:
    listing, decision, seller = metadata["listing"], metadata["decision"], metadata["seller"]
    exhibits = metadata["exhibits"]
    return _template(lang).render(
        number=metadata["lead"]["number"],
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
