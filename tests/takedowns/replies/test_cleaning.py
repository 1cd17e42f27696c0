from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
import sqlalchemy as sa

from classifiers.verdict import Label
from takedowns.ledger.tables import CleanedItem, CleaningReport, Decision, Lead, Listing
from takedowns.ledger.vocabulary import Cleaned, Finding
from takedowns.replies import cleaning, importing
from takedowns.reports import Period
from takedowns.states import LeadState

QUANTITIES = "线索编号,处置措施,清理信息条数,处置商户数,处置账号数,处置小程序数"


def totals(ledger, period=None):
    with ledger.read() as session:
        found = cleaning.totals(session, period)
    return {(total.platform, total.cleaned): total.quantity for total in found}


def test_quantities_of_a_lead_are_kept_beside_its_claim(ledger, sent, hand_in, claims):
    result = hand_in("2026-0000-01001,已下架,1 200,2,,１", "2026-0000-01002,,35条,,0,", header=QUANTITIES)
    assert (result.accepted, result.reports, result.errors) == (1, 5, [])
    assert len(claims()) == 1
    assert totals(ledger) == {
        ("sample", Cleaned.INFORMATION): 1235,
        ("sample", Cleaned.MERCHANT): 2,
        ("sample", Cleaned.ACCOUNT): 0,
        ("sample", Cleaned.MINI_PROGRAM): 1,
    }


def test_of_a_lead_the_newest_number_counts_and_both_are_kept(ledger, sent, hand_in, now):
    for day, quantity in enumerate((120, 130, 130)):
        hand_in(
            f"2026-0000-01001,{quantity}",
            header="线索编号,清理信息条数",
            name=f"{day}.csv",
            at=now + timedelta(days=day),
        )
    assert totals(ledger) == {("sample", Cleaned.INFORMATION): 130}
    with ledger.read() as session:
        told = session.scalars(sa.select(CleaningReport.quantity).order_by(CleaningReport.id)).all()
    assert told == [120, 130]


def test_a_platform_may_tell_what_it_cleaned_without_any_lead(ledger, hand_in):
    header = "平台,清理信息条数,处置账号数,处置时间"
    lines = ("示例商城,5000,7,2026-09-30", "other,1,,2026-10-01", "other,2,,2026-10-02")
    assert hand_in(*lines, header=header).reports == 4
    assert hand_in(*lines, header=header, name="again.csv").reports == 0
    assert totals(ledger) == {
        ("sample", Cleaned.INFORMATION): 5000,
        ("sample", Cleaned.ACCOUNT): 7,
        ("other", Cleaned.INFORMATION): 3,
    }
    assert totals(ledger, Period.parse("2026-09")) == {
        ("sample", Cleaned.INFORMATION): 5000,
        ("sample", Cleaned.ACCOUNT): 7,
    }


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ("sample,-5", "information: '-5' is no whole number"),
        ("sample,1.5", "information: '1.5' is no whole number"),
        ("sample,=2+3", "information: '=2+3' is a formula"),
        ("sample,99999999999", "information: '99999999999' is no whole number"),
        ("sample,很多", "information: '很多' is no whole number"),
        (",5", "platform: neither a lead nor a platform is named"),
        ("nowhere,5", "platform: no platform is called 'nowhere'"),
    ],
)
def test_a_number_that_is_none_is_refused_by_name(sqlite_ledger, hand_in, strays, cells, complaint):
    result = hand_in(cells, header="平台,清理信息条数")
    assert result.errors[0].startswith(f"reply.csv:2: {complaint}")
    assert len(strays()) == 1
    assert totals(sqlite_ledger) == {}


def test_a_thing_named_twice_counts_once_however_it_is_written(ledger, hand_in):
    header = "平台,清理信息,处置账号"
    lines = (
        "sample,1001,anna",
        "sample,https://shop.invalid/item/1001?from=x,anna",
        "sample,1002,",
        "other,1001,anna",
        "sample,https://elsewhere.invalid/item/1001,berta",
    )
    assert hand_in(*lines, header=header).cleaned == 7
    assert totals(ledger) == {
        ("sample", Cleaned.INFORMATION): 3,
        ("sample", Cleaned.ACCOUNT): 2,
        ("other", Cleaned.INFORMATION): 1,
        ("other", Cleaned.ACCOUNT): 1,
    }
    again = hand_in("sample,1001,anna", "sample,1003,carla", header=header, name="later.csv")
    assert again.cleaned == 2
    assert totals(ledger)["sample", Cleaned.INFORMATION] == 4


def test_the_same_list_twice_changes_nothing(ledger, hand_in):
    lines = ("sample,1001", "sample,1002")
    hand_in(*lines, header="平台,清理信息")
    assert hand_in(*lines, header="平台,清理信息").cleaned == 0
    with ledger.read() as session:
        (report,) = session.scalars(sa.select(CleaningReport))
    assert (report.quantity, report.listed) == (2, True)


def test_a_number_beside_a_list_of_the_same_things_is_not_added_to_it(ledger, tmp_path, hand_in):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["平台", "清理信息条数", "处置商户数"])
    sheet.append(["sample", 3, 2])
    listed = book.create_sheet("明细")
    listed.append(["平台", "清理信息ID"])
    for number in range(3):
        listed.append(["sample", f"{number}"])
    book.save(tmp_path / "reply.xlsx")
    assert hand_in(name="reply.xlsx").cleaned == 3
    assert totals(ledger) == {("sample", Cleaned.INFORMATION): 3, ("sample", Cleaned.MERCHANT): 2}


def test_a_leads_number_counts_no_more_once_its_things_are_listed(ledger, sent, hand_in):
    hand_in("2026-0000-01001,40", header="线索编号,清理信息条数")
    hand_in("2026-0000-01001,1", "2026-0000-01001,2", header="线索编号,清理信息", name="list.csv")
    assert totals(ledger) == {("sample", Cleaned.INFORMATION): 2}


def test_a_list_belongs_to_the_days_that_it_names(ledger, hand_in):
    header = "平台,清理信息,处置时间"
    hand_in("sample,1,2026-09-30 23:59", "sample,2,2026-10-01 00:00", "sample,3,", header=header)
    assert totals(ledger, Period.parse("2026-09")) == {("sample", Cleaned.INFORMATION): 1}
    assert totals(ledger, Period.parse("2026-10")) == {("sample", Cleaned.INFORMATION): 2}


def test_what_was_cleaned_closes_no_lead_and_claims_nothing_of_it(ledger, sent, hand_in, claims):
    hand_in("2026-0000-01001,40", header="线索编号,清理信息条数")
    assert claims() == []
    with ledger.read() as session:
        assert session.get_one(Lead, sent[0].id).state is LeadState.SENT


YEAR = {Cleaned.INFORMATION: 1_014_100, Cleaned.MERCHANT: 9_481, Cleaned.ACCOUNT: 1_075}
NAMES = {Cleaned.INFORMATION: "清理信息ID", Cleaned.MERCHANT: "处置商户ID", Cleaned.ACCOUNT: "处置账号ID"}
LEADS, PLATFORMS, SHARE = 597, 12, 10


def test_a_published_year_of_one_bureau_is_held_and_counted_exactly(
    ledger, make, analyst, platform, tmp_path, now
):
    """597 leads on twelve platforms; of the information a tenth: bench/cleaned.py takes all of it."""
    wanted = {**YEAR, Cleaned.INFORMATION: YEAR[Cleaned.INFORMATION] // SHARE}
    profiles = {
        name: platform.model_copy(update={"name": name, "hosts": (f"{name}.invalid",)})
        for name in (f"p{number}" for number in range(PLATFORMS))
    }
    leads = _leads(ledger, make, analyst, list(profiles), now)
    rows, truth = _rows(leads, wanted)
    result = importing.Result()
    for number, lines in enumerate(rows):
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        with ledger.write() as session:
            result = result.plus(importing.import_file(session, path, platforms=profiles, now=now))
    assert (result.cleaned, result.refused) == (sum(wanted.values()), 0)
    with ledger.read() as session:
        found = {(total.platform, total.cleaned): total.items for total in cleaning.totals(session)}
        assert found == truth
        assert session.scalar(sa.select(sa.func.count()).select_from(CleanedItem)) == sum(wanted.values())
        assert session.scalar(sa.select(sa.func.count(CleaningReport.lead_id.distinct()))) == LEADS


def _leads(ledger, make, analyst, platforms, now):
    """Written as a list: the factory would flush some thousand times."""
    with ledger.write() as session:
        shown = make.snapshot(session, make.listing(session))
        task = make.task(session, shown)
        found = []
        for number in range(LEADS):
            listing = Listing(
                platform=platforms[number % PLATFORMS],
                item_id=f"{number}",
                url="u",
                road="sweep",
                first_seen_at=now,
            )
            decision = Decision(
                task_id=task.id, listing=listing, snapshot_id=shown.id, reviewer_id=analyst.id,
                finding=Finding.VIOLATION, category=Label.DISGUISED_MEDICAL, decided_at=now,
            )  # fmt: skip
            lead = Lead(
                number=f"2026-0000-{number:05}", listing=listing, decision=decision, state=LeadState.SENT,
                created_at=now, sent_at=now,
            )  # fmt: skip
            session.add(lead)
            found.append((lead.number, listing.platform))
        return found


def _rows(leads, wanted):
    """A file for each kind, which names its things by lead, some twice; and what each platform has."""
    chance, truth, files = random.Random(597), Counter(), []
    for kind, quantity in wanted.items():
        lines = [f"线索编号,{NAMES[kind]}"]
        for number in range(quantity):
            lead, platform = leads[number % LEADS]
            truth[platform, kind] += 1
            lines += [f"{lead},{kind.value}{number}"] * chance.choice((1, 1, 1, 2))
        files.append(lines)
    return files, dict(truth)


def test_the_time_of_a_list_is_shanghais(ledger, hand_in):
    hand_in("sample,1,2026-09-30T20:00:00Z", header="平台,清理信息,处置时间")
    with ledger.read() as session:
        (report,) = session.scalars(sa.select(CleaningReport))
    assert report.claimed_at == datetime(2026, 9, 30, 16, tzinfo=UTC)
