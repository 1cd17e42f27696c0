"""Two offices, each with a ledger and a store of its own, and a lead with a page that was kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawlers.listing import Presence
from takedowns import configuration
from takedowns.context import Context
from takedowns.evidence import keeping, manifest
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Handover, User
from takedowns.ledger.vocabulary import Measure, Role, VerificationOutcome
from takedowns.states import LeadState
from takedowns.tips import House
from tests.takedowns.conftest import Factory
from tests.takedowns.evidence.conftest import written_run  # noqa: F401  (a fixture)


@dataclass
class Office:
    context: Context
    house: House
    folder: Path
    people: dict[Role, User] = field(default_factory=dict)

    @property
    def supervisor(self) -> User:
        return self.people[Role.SUPERVISOR]


@pytest.fixture
def office(tmp_path, migrated_sqlite, settings, platform, now) -> Iterator[Callable[[str, str], Office]]:
    ledgers = []

    def opened(code: str, name: str) -> Office:
        folder = tmp_path / code
        folder.mkdir()
        shutil.copyfile(migrated_sqlite, folder / "ledger.db")
        ours = settings.office.model_copy(update={"code": code, "name_zh": name, "name_en": f"Bureau {code}"})
        given = settings.model_copy(update={"office": ours, "var": folder / "var"})
        platforms = {platform.name: platform}
        ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
        ledgers.append(ledger)
        context = Context(configuration.SHIPPED, given, platforms, ledger, lambda: now)
        made = Office(context, House(given, platforms, lambda text: "学生" in text), folder)
        factory = Factory(now)
        with ledger.write() as session:
            for role in (Role.ANALYST, Role.SUPERVISOR):
                made.people[role] = factory.user(session, login=role.value, role=role)
        return made

    yield opened
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def here(office, make, now, written_run) -> Office:  # noqa: F811
    """Has leads L-1, whose page was kept, L-2, whose platform the other office does not know, and L-3."""
    made = office("1100", "甲市烟草专卖局")
    run, (evidence,) = written_run("r1", b"<h1>" + "雾化器".encode() * 50)
    with made.context.ledger.write() as session:
        make.run(session, run_id="r1")
        keeping.keep(session, made.context.evidence, manifest.make(made.context.evidence, run.path), now=now)
        for number, given in {"L-1": {}, "L-2": {"url": "https://elsewhere.invalid/9"}, "L-3": {}}.items():
            _lead(session, make, made, number, evidence if number == "L-1" else None, **given)
    return made


def _lead(session: Any, make: Any, office: Office, number: str, evidence: str | None, **given: Any) -> None:
    listing = make.listing(session, **given)
    shown = make.snapshot(session, listing, evidence=evidence, title=f"医用雾化器 学生党 {number}")
    make.verdict(session, shown)
    decision = make.decision(session, make.task(session, shown), office.people[Role.ANALYST])
    sent = make.now - timedelta(days=3)
    lead = make.lead(session, decision, number=number, state=LeadState.SENT, sent_at=sent)
    make.response(session, lead, measure=Measure.DELETED, text="已删除")
    make.sighting(session, listing, state=Presence.UP)
    lead.outcome = VerificationOutcome.FALSE_CLAIM


@pytest.fixture
def there(office) -> Office:
    return office("3300", "乙市烟草专卖局")


@pytest.fixture
def bytes_of() -> Callable[[Office, Handover], bytes]:
    return lambda office, handover: office.context.evidence.read(handover.package_sha256)
