"""What is done about unanswered notices: each rung of the platform's ladder once, then the notice lapses.

A reminder says what we hold for sure: what was sent when, what was answered, which page was up at which look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crawlers.lead_channel import Rung
from crawlers.listing import Presence
from takedowns import deadlines, dispatches, letters, notices
from takedowns.context import Context
from takedowns.deadlines import SHANGHAI, Calendar
from takedowns.ledger import audit
from takedowns.ledger.tables import CrawlRun, Dispatch, Lead, Notice, NoticeStep, Sighting
from takedowns.ledger.vocabulary import DispatchKind, DispatchState
from takedowns.states import LeadState, NoticeState

ACTOR = "system:reminders"
OPEN = (NoticeState.SENT, NoticeState.ACKNOWLEDGED)


def due_rung(
    ladder: Sequence[Rung], sent_at: datetime, climbed: Collection[int], *, now: datetime, calendar: Calendar
) -> int | None:
    """The highest rung whose working days are over at ``now``, unless it or a higher one was climbed.

    Those below it are passed over: two letters on one day would say the same.
    """
    over = [
        index
        for index, rung in enumerate(ladder)
        if deadlines.due(sent_at, rung.after_working_days, calendar) <= now
    ]
    return over[-1] if over and over[-1] > max(climbed, default=-1) else None


def unanswered(notice: Notice) -> list[Lead]:
    """The leads of ``notice`` that the platform said nothing about and that are not settled otherwise."""
    waiting = (LeadState.SENT, LeadState.ACKNOWLEDGED)
    return [lead for lead in notice.leads if lead.state in waiting and not lead.responses]


def climb(context: Context) -> Counter[str]:
    """Put what is due into the outbox, in office hours, and let notices lapse; how many of each kind."""
    done: Counter[str] = Counter()
    now = context.clock()
    if dispatches.opening(now, context.settings) > now:
        return done
    with context.ledger.read() as session:
        ids = session.scalars(sa.select(Notice.id).where(Notice.state.in_(OPEN)).order_by(Notice.id)).all()
    for notice_id in ids:
        with context.ledger.write() as session:
            if kind := _followed_up(session, notices.locked(session, notice_id), context, now):
                done[kind] += 1
    return done


def _followed_up(session: Session, notice: Notice, context: Context, now: datetime) -> str | None:
    """What was done about the locked notice: reminder, escalation or lapse."""
    if notice.state not in OPEN or notice.sent_at is None:
        return None
    ladder, calendar = _ladder(context, notice.platform), deadlines.load(context.config / "holidays.yml")
    steps = session.scalars(sa.select(NoticeStep).where(NoticeStep.notice_id == notice.id)).all()
    rung = due_rung(ladder, notice.sent_at, {s.rung for s in steps}, now=now, calendar=calendar)
    if rung is not None and unanswered(notice):
        return _climbed(session, notice, rung, ladder[rung], context, now)
    last = _last_word(session, notice, steps, len(ladder))
    answer_days = context.settings.notices.answer_working_days
    if last and deadlines.due(last, answer_days, calendar) <= now:
        notices.lapse(session, notice, now=now)
        return "lapse"
    return None


def _last_word(session: Session, notice: Notice, steps: Sequence[NoticeStep], rungs: int) -> datetime | None:
    """When the last that the ladder has was sent or taken back; None while there is more to come."""
    if not rungs:
        return notice.sent_at
    top = next((step for step in steps if step.rung == rungs - 1), None)
    if top is None:
        return None
    dispatch = session.get_one(Dispatch, top.dispatch_id)
    return top.created_at if dispatch.state is DispatchState.CANCELLED else dispatch.sent_at


def _ladder(context: Context, platform: str) -> tuple[Rung, ...]:
    profile = context.platforms.get(platform)
    own = profile.lead.ladder if profile else None
    return context.settings.notices.ladder if own is None else own


def _climbed(
    session: Session, notice: Notice, index: int, rung: Rung, context: Context, now: datetime
) -> str:
    template = context.config / "notices" / f"reminder.{notice.lang}.j2"
    text = letters.filled(template, _fields(session, notice, rung, context, now))
    subject, _, body = text.strip().partition("\n")
    dispatch = dispatches.put(
        session,
        notice,
        DispatchKind(rung.kind),
        recipient=rung.to or notice.recipient,
        subject=subject.strip(),
        body=body.strip() + "\n",
        now=now,
        settings=context.settings,
    )
    # the unique rung keeps two workers from climbing it both
    session.add(NoticeStep(notice_id=notice.id, rung=index, dispatch_id=dispatch.id, created_at=now))
    payload = {"rung": index, "dispatch": dispatch.id, "to": dispatch.recipient}
    session.flush()
    audit.record(
        session,
        at=now,
        actor=ACTOR,
        action=f"notice.{rung.kind}",
        subject=f"notice:{notice.id}",
        payload=payload,
    )
    return rung.kind


def _fields(session: Session, notice: Notice, rung: Rung, context: Context, now: datetime) -> dict[str, Any]:
    office, days = context.settings.office, context.settings.notices.answer_working_days
    profile = context.platforms.get(notice.platform)
    titles = (profile.title, profile.title_en) if profile else (notice.platform, notice.platform)
    chinese = notice.lang == "zh"
    return {
        "number": notice.number,
        "escalation": rung.kind == "escalation",
        "addressee": letters.clean(titles[not chinese], letters.TITLE_AT_MOST),
        "sent": _day(notice.sent_at, notice.lang),
        "acknowledged": _day(notice.acknowledged_at, notice.lang),
        "date": _day(now, notice.lang),
        "working_days": days,
        "answered": sum(1 for lead in notice.leads if lead.responses),
        "leads": [_lead_fields(session, lead) for lead in unanswered(notice)],
        "office": office.name_zh if chinese else office.name_en,
        "contact": office.contact,
    }


def _day(moment: datetime | None, lang: str) -> str:
    return letters.in_words(moment.astimezone(SHANGHAI).date(), lang) if moment else ""


def _lead_fields(session: Session, lead: Lead) -> dict[str, str]:
    """``up`` is when the last look that could tell found the page up; empty if it did not."""
    looks = (
        sa.select(Sighting)
        .join(CrawlRun)
        .where(
            Sighting.listing_id == lead.listing_id,
            Sighting.state.in_([Presence.UP, Presence.GONE, Presence.ALTERED]),
            CrawlRun.trusted,
        )
        .order_by(Sighting.observed_at.desc(), Sighting.id.desc())
    )
    last = session.scalars(looks.limit(1)).first()
    up = last is not None and last.state is Presence.UP and last.observed_at
    return {
        "number": lead.number,
        "item_id": letters.clean(lead.listing.item_id, letters.TITLE_AT_MOST),
        "url": letters.address(lead.listing.url),
        "up": f"{up.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if up else "",
    }
