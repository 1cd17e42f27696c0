"""Notices with their leads, drafted as the application drafts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from classifiers.verdict import Label
from takedowns import letters
from takedowns.ledger.tables import Notice, User
from takedowns.papers.letter import Evidence, Letter, of_notice
from takedowns.settings import Settings
from takedowns.states import LeadState, NoticeState

Drafted = Callable[..., Notice]


@pytest.fixture
def drafted(make: Any, analyst: User, now: datetime, settings: Settings) -> Drafted:
    """A draft with a lead for each title, of every kind in turn; the rest goes to all of them."""

    def draft(
        session: Session, titles: Sequence[str], lang: str = "zh", shop: str = "康康一号店", **listing: Any
    ) -> Notice:
        kinds = [label for label in Label if label is not Label.BENIGN]
        leads = []
        for at, title in enumerate(titles):
            offered = make.listing(session, seller=make.seller(session, name=shop), **listing)
            shown = make.snapshot(session, offered, title=title)
            signals = [{"text": title[:40], "contribution": 1.0}]
            make.verdict(session, shown, payload={"signals": signals})
            decision = make.decision(
                session, make.task(session, shown), analyst, category=kinds[at % len(kinds)]
            )
            leads.append(
                make.lead(session, decision, number=f"2026-0000-{at:05}", state=LeadState.SENT, sent_at=now)
            )
        number = "2026-0000-T00001"
        addressee = "示例商城" if lang == "zh" else "Sample Market"
        subject, body = letters.render(number, addressee, leads, lang=lang, now=now, settings=settings)
        notice = Notice(
            number=number,
            platform="sample",
            channel="smtp",
            recipient="notices@shop.invalid",
            state=NoticeState.DRAFT,
            lang=lang,
            subject=subject,
            body=body,
            author_id=analyst.id,
            created_at=now,
            leads=leads,
        )
        session.add(notice)
        session.flush()
        return notice

    return draft


@pytest.fixture
def letter_of(settings: Settings) -> Callable[..., Letter]:
    """The letter of a notice whose leads' evidence is all of one kind."""

    def written(notice: Notice, evidence: Evidence = Evidence.ENCLOSED) -> Letter:
        return of_notice(
            notice, dict.fromkeys((lead.number for lead in notice.leads), evidence), office=settings.office
        )

    return written
