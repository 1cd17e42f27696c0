"""A shop that none of us wrote: swept, flagged, reported, unpublished, and verified as removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from classifiers.verdict import Label
from takedowns import configuration, jobs, leads, notices, outbox, removals, review, users
from takedowns.context import Context
from takedowns.demo import OPENING, DemoClock
from takedowns.ledger.engine import open_ledger
from takedowns.ledger.tables import Flag, Lead, Listing, User, Verdict
from takedowns.ledger.vocabulary import Finding, Role, VerificationOutcome
from takedowns.replies import importing
from takedowns.settings import Mail
from takedowns.states import NoticeState
from tests.shops.conftest import OscarShop
from tests.takedowns.conftest import MailServer

VERIFIED = VerificationOutcome.REMOVED_VERIFIED


@pytest.fixture(scope="module")
def clock() -> DemoClock:
    return DemoClock(OPENING)


@pytest.fixture(scope="module")
def bureau(oscar: OscarShop, clock: DemoClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """A bureau that has swept the shop."""
    folder = tmp_path_factory.mktemp("bureau")
    mailbox = MailServer()
    mailbox.start()
    mail = Mail(host="127.0.0.1", port=mailbox.port, sender="leads@bureau.invalid", starttls=False)
    shipped = configuration.settings(configuration.SHIPPED)
    at_once = shipped.notices.model_copy(update={"hold_minutes": 0, "office_hours": None})
    settings = shipped.model_copy(update={"var": folder, "mail": mail, "notices": at_once})
    shop = configuration.platforms(configuration.SHIPPED)["oscar"].model_copy(update={"home": oscar.base_url})
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    context = Context(configuration.SHIPPED, settings, {"oscar": shop}, ledger, clock)
    with ledger.write() as session:
        for login, role in (("analyst", Role.ANALYST), ("supervisor", Role.SUPERVISOR)):
            users.create(session, login, login, role, "correct horse battery", now=clock())
    jobs.sweep(context, "oscar")
    yield context
    mailbox.stop()
    ledger.close()


def user(context: Context, login: str) -> User:
    with context.ledger.read() as session:
        return session.scalars(sa.select(User).where(User.login == login)).one()


def confirm_everything_flagged(context: Context) -> None:
    analyst = user(context, "analyst")
    with context.ledger.write() as session:
        while task := review.next_task(session, analyst, now=context.clock(), settings=context.settings):
            verdict = task.snapshot.verdicts[-1]
            review.decide(
                session,
                task.id,
                analyst,
                task.version,
                Finding.VIOLATION,
                category=Label(verdict.label),
                now=context.clock(),
                settings=context.settings,
            )


def report_to_the_shop(context: Context) -> NoticeState:
    now = context.clock()
    with context.ledger.write() as session:
        notice = notices.draft(
            session,
            context.platforms["oscar"],
            leads.ready(session)["oscar"],
            user(context, "analyst"),
            now=now,
            settings=context.settings,
        )
    with context.ledger.write() as session:
        notices.approve(
            session,
            notice.id,
            user(context, "supervisor"),
            notice.version,
            now=now,
            settings=context.settings,
        )
    return outbox.send(context, notice.id).state


def look(context: Context, lead: Lead) -> VerificationOutcome | None:
    """One look at the lead's listing, and what is found after it."""
    with context.ledger.read() as session:
        target = removals.target(session.get_one(Lead, lead.id))
    jobs.recheck(context, "oscar", [target])
    jobs.settle(context)
    with context.ledger.read() as session:
        return session.get_one(Lead, lead.id).outcome


def test_the_sweep_finds_every_product(bureau: Context, oscar: OscarShop) -> None:
    with bureau.ledger.read() as session:
        found = set(session.scalars(sa.select(Listing.item_id)))
    assert found == {str(product.id) for product in oscar.products}


def test_a_sweep_asks_for_no_path_that_robots_txt_forbids(bureau: Context, oscar: OscarShop) -> None:
    def hits() -> list[int]:
        return [oscar.hits(path) for path in ("/private/", "/basket/", "/checkout/", "/accounts/")]

    before, pages = hits(), oscar.hits("/")
    jobs.sweep(bureau, "oscar")
    assert hits() == before
    assert oscar.hits("/") > pages


def test_the_disguised_products_are_flagged(bureau: Context, oscar: OscarShop) -> None:
    with bureau.ledger.read() as session:
        flagged = set(session.scalars(sa.select(Listing.item_id).join(Flag).join(Verdict)))
    violating = {str(product.id) for product in oscar.products if product.violating}
    assert len(flagged & violating) >= 0.9 * len(violating)
    assert len(flagged - violating) <= 1


def test_a_lead_becomes_removed_verified_after_unpublishing_and_never_before(
    bureau: Context, oscar: OscarShop, clock: DemoClock, tmp_path: Path
) -> None:
    confirm_everything_flagged(bureau)
    assert report_to_the_shop(bureau) is NoticeState.SENT
    with bureau.ledger.read() as session:
        lead = session.scalars(sa.select(Lead).order_by(Lead.id)).first()
        assert lead is not None
        product = int(lead.listing.item_id)

    for _ in range(2):
        clock.advance(hours=25)
        assert look(bureau, lead) is None, "it is still up"

    oscar.unpublish(product)
    try:
        clock.advance(hours=1)
        assert look(bureau, lead) is None, "one look proves nothing"
        clock.advance(hours=23)
        assert look(bureau, lead) is None, "two looks within a day prove nothing"
        reply = tmp_path / "reply.csv"
        reply.write_text(f"线索编号,处置措施\n{lead.number},已下架\n", encoding="utf-8-sig")
        with bureau.ledger.write() as session:
            taken = importing.import_file(session, reply, platforms=bureau.platforms, now=clock())
            assert taken.accepted == 1
        jobs.settle(bureau)
        clock.advance(hours=2)
        assert look(bureau, lead) is VERIFIED
    finally:
        oscar.publish(product)
    clock.advance(hours=24)
    assert look(bureau, lead) is VerificationOutcome.RELISTED


def test_a_sold_out_product_is_still_up(bureau: Context, oscar: OscarShop, clock: DemoClock) -> None:
    with bureau.ledger.read() as session:
        lead = session.scalars(sa.select(Lead).order_by(Lead.id.desc())).first()
        assert lead is not None
        product = int(lead.listing.item_id)
    oscar.sell_out(product)
    try:
        for _ in range(2):
            clock.advance(hours=30)
            assert look(bureau, lead) is not VERIFIED
    finally:
        oscar.restock(product)
    with bureau.ledger.read() as session:
        assert {s.state.value for s in session.get_one(Lead, lead.id).listing.sightings} == {"up"}
