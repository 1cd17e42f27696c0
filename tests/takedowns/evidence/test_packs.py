"""The whole way: sweep, flag, capture, lead, pack; and a pack that anybody can check without us."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa
from PIL import Image

from classifiers.image_hash import hash_of
from crawlers.rundir import Outcome, Target
from takedowns import jobs, leads
from takedowns.evidence import captures, dossier, packs, reading
from takedowns.ledger import tables
from takedowns.ledger.vocabulary import Role
from tests.crawlers.shop import Page, Shop, item_html
from tests.takedowns.conftest import Factory
from tests.takedowns.evidence.conftest import HOSTILE, NOON, drawing, opened


@pytest.fixture(scope="module")
def goods():
    """Two listings with one picture, found by one search; the second one's page is an attack."""
    shown = '<img class="photo" src="/photo.png">'
    links = "".join(f'<a class="item-link" href="/item/{item}.html">{item}</a>' for item in "12")
    shop = Shop()
    shop.pages["/search"] = Page(links)
    shop.pages["/item/1.html"] = Page(item_html() + shown)
    shop.pages["/item/2.html"] = Page(item_html("医用雾化器 乙") + f"<p>{HOSTILE}</p>" + shown)
    shop.pages["/photo.png"] = Page(drawing(), headers={"Content-Type": "image/png"})
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def staged(goods, tmp_path_factory, migrated_sqlite):
    """A house that swept and photographed the shop and has a lead of the second listing."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copyfile(migrated_sqlite, folder / "ledger.db")
    house = opened(folder, goods.home)
    assert jobs.sweep(house, "corner").outcome is Outcome.OK
    captured = jobs.capture(house, "corner")
    assert captured is not None
    assert captured.outcome is Outcome.OK, captured.first_problem
    make = Factory(NOON)
    with house.ledger.write() as session:
        reviewer = make.user(session, login="analyst", role=Role.ANALYST)
        second = sa.select(tables.ReviewTask).join(tables.Listing).where(tables.Listing.item_id == "2")
        task = session.scalars(second).one()
        decision = make.decision(session, task, reviewer, decided_at=NOON + timedelta(hours=1))
        lead = leads.create(session, decision, office_code="0000", now=NOON + timedelta(hours=1))
        leads.record(session, lead, "analyst", "lead.create", NOON + timedelta(hours=1))
    house.ledger.close()
    return folder, captured, lead.number


@pytest.fixture
def house(staged, goods, tmp_path):
    """A copy of it, to do with as one likes."""
    folder = tmp_path / "house"
    shutil.copytree(staged[0], folder)
    copy = opened(folder, goods.home)
    yield copy
    copy.ledger.close()


@pytest.fixture
def confirmed(staged):
    return staged[1], staged[2]


def packed(house, number):
    with house.ledger.read() as session:
        lead = session.scalars(sa.select(tables.Lead).where(tables.Lead.number == number)).one()
        return packs.pack(session, house.evidence, lead, office=house.settings.office)


def test_from_a_flag_to_a_pack_that_anybody_can_check(house, goods, confirmed, tmp_path):
    captured, number = confirmed
    assert {(one.item_id, one.cause.partition(":")[0], one.view) for one in captured.run.captures} == {
        ("1", "flag", True),
        ("2", "flag", True),
    }
    assert (
        goods.hits["/photo.png"] <= 5
    )  # once for the store, and by the browser for the screenshots and the canary
    data = packed(house, number)
    assert packed(house, number) == data

    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        names = set(pack.namelist())
        pack.extractall(folder)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == names
    checked = subprocess.run(
        ["sha256sum", "-c", "--strict", "MANIFEST.sha256"], cwd=folder, capture_output=True
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(b"OK") == len(names) - 1

    metadata = json.loads((folder / "metadata.json").read_text())
    shown = {one["what"]: one for one in metadata["exhibits"]}
    assert set(shown) == {"snapshot", "capture"}
    with Image.open(folder / shown["capture"]["screenshot"]) as view:
        assert (view.format, view.width) == ("PNG", 1280)
    for one in shown.values():
        whole = subprocess.run(
            [
                sys.executable,
                "-m",
                "warcio.cli",
                "check",
                "-v",
                str(folder / one["folder"] / "records.warc.gz"),
            ],
            capture_output=True,
            text=True,
        )
        assert whole.returncode == 0, whole.stdout
        assert "digest pass" in whole.stdout
        page = (folder / one["folder"] / "page.html").read_text()
        assert "<script" not in page
        assert "医用雾化器 乙" in page
    (picture,) = metadata["pictures"]
    assert (folder / picture["file"]).read_bytes() == drawing()
    assert int(picture["perceptual_hash"], 16) == hash_of(drawing())


def test_the_chain_of_custody_can_be_recomputed_and_says_who_did_what(house, confirmed):
    with zipfile.ZipFile(io.BytesIO(packed(house, confirmed[1]))) as pack:
        custody = json.loads(pack.read("custody.json"))
        readmes = [pack.read(f"README.{lang}.txt").decode() for lang in ("zh", "en")]
    actions = [entry["action"] for entry in custody]
    assert actions.count("evidence.keep") == 2
    assert "lead.create" in actions
    for entry in custody:
        told = {name: value for name, value in entry.items() if name != "hash"}
        canonical = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(canonical.encode()).hexdigest() == entry["hash"]
    for readme in readmes:
        assert "2026-10-14 13:00:00  analyst  lead.create" in readme
    assert "涉嫌" in readmes[0]
    assert "suspected" in readmes[1]


def test_what_leaves_the_house_names_no_staff_and_tells_no_score(house, confirmed):
    with house.ledger.read() as session:
        lead = session.scalars(sa.select(tables.Lead).where(tables.Lead.number == confirmed[1])).one()
        office = house.settings.office
        inside, outside = (
            zipfile.ZipFile(io.BytesIO(packs.pack(session, house.evidence, lead, office=office, outward=out)))
            for out in (False, True)
        )
    told = b"".join(outside.read(name) for name in outside.namelist() if "exhibits" not in name)
    assert b"analyst" not in told
    assert b'"score"' not in told
    assert b'"payload"' not in told
    assert outside.namelist() == inside.namelist()
    assert (
        json.loads(outside.read("custody.json"))[0]["hash"]
        == json.loads(inside.read("custody.json"))[0]["hash"]
    )


def test_a_hostile_title_writes_no_lines_and_no_names(house, confirmed):
    with house.ledger.write() as session:
        listing = session.scalars(sa.select(tables.Listing).where(tables.Listing.item_id == "2")).one()
        listing.item_id = "../../x"
        listing.snapshots[0].title = HOSTILE
        listing.seller = tables.Seller(
            platform="corner", kind="merchant", external_id="..\\..", name="a\r\nb\u202e", url=None
        )
    with zipfile.ZipFile(io.BytesIO(packed(house, confirmed[1]))) as pack:
        names = pack.namelist()
        readme = pack.read("README.en.txt").decode()
    assert all(".." not in name and "\\" not in name and not name.startswith("/") for name in names)
    assert "\u202e" not in readme
    assert "\n# 标题" not in readme


def test_changed_evidence_is_not_packed(house, confirmed):
    with house.ledger.read() as session:
        lead = session.scalars(sa.select(tables.Lead)).one()
        reference = dossier.exhibits(session, house.evidence, lead.listing)[0].reference
    path = reading.file_of(house.evidence, reference)
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="was changed"):
        packed(house, confirmed[1])


def test_what_was_never_kept_is_named_as_missing(house, confirmed):
    with house.ledger.write() as session:
        snapshot = session.scalars(sa.select(tables.Decision)).one().snapshot
        snapshot.evidence = "r0/evidence/pages.warc.gz#urn:uuid:0"
    with zipfile.ZipFile(io.BytesIO(packed(house, confirmed[1]))) as pack:
        told = json.loads(pack.read("metadata.json"))["exhibits"]
        readme = pack.read("README.zh.txt").decode()
    assert [one["what"] for one in told if "missing" in one] == ["snapshot"]
    assert "缺失" in readme


def test_a_change_of_state_is_photographed_and_nothing_twice(house, goods, confirmed):
    assert jobs.capture(house, "corner") is None
    goods.pages["/item/2.html"] = Page('<p class="notice-gone">商品不存在</p>', 404)
    targets = [Target(item_id=item, url=f"{goods.home}/item/{item}.html") for item in "12"]
    house.clock = lambda: NOON + timedelta(days=1)
    jobs.recheck(house, "corner", targets)
    with house.ledger.read() as session:
        wanted = captures.due(session, house.evidence, "corner", now=house.clock())
    assert wanted.keys() == {"2"}
    assert wanted["2"]["cause"].startswith("sighting:")
    assert wanted["2"]["pictures"] == []  # fetched once
    result = jobs.capture(house, "corner")
    assert [(one.item_id, one.state, one.view) for one in result.run.captures] == [("2", "gone", True)]
    with house.ledger.read() as session:
        listing = dossier.listing_named(session, confirmed[1])
        seen = [(one.what, str(one.state)) for one in dossier.exhibits(session, house.evidence, listing)]
        assert session.scalar(sa.select(sa.func.count(tables.Sighting.id))) == 2  # captures count for nothing
    assert seen == [("snapshot", "up"), ("capture", "up"), ("sighting", "gone"), ("capture", "gone")]
