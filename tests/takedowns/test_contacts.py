"""Handles are found however they are spelt, and only their keyed hashes are kept."""

from __future__ import annotations

import stat
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.verdict import ListingText
from classifiers.yamlfile import ConfigError
from crawlers.listing import Listing, Seller
from takedowns import contacts, earlier_contacts, intake
from takedowns.contacts import Handle, Key
from takedowns.ledger.engine import Ledger
from takedowns.ledger.tables import Base, ContactHash
from tests.takedowns.evidence.conftest import Suspicious


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("加微信：vapor_king88 咨询", Handle("name", "vapor_king88")),
        ("ｖｘ：ＡＢＣ＿1234567", Handle("name", "abc_1234567")),
        ("薇❤：smoke888king", Handle("name", "smoke888king")),
        ("➕薇yanyan_2020", Handle("name", "yanyan_2020")),
        ("加v：wuhua_2024 下单", Handle("name", "wuhua_2024")),
        ("电报 @cloud_maker9", Handle("name", "cloud_maker9")),
        ("扣扣 987654321 客服", Handle("number", "987654321")),
        ("qq群：1234567890", Handle("number", "1234567890")),
        ("电话 138 0013 8000", Handle("phone", "13800138000")),
        ("加微13800138000", Handle("phone", "13800138000")),
        ("1 3 8 0 0 1 3 8 0 0 0", Handle("phone", "13800138000")),
        ("138-00138000", Handle("phone", "13800138000")),
        ("加扣3445566778", Handle("number", "3445566778")),
        ("飞机：cloud_maker9", Handle("name", "cloud_maker9")),
        ("一三八零零一三八零零零", Handle("phone", "13800138000")),
    ],
)
def test_a_handle_is_found_however_it_is_spelt(text: str, handle: Handle) -> None:
    assert handle in contacts.handles(text)


@pytest.mark.parametrize(
    "text",
    [
        "VX100雾化器",
        "微电脑 controller",
        "4008001234",
        "6921168509256",
        "8000口 西瓜味",
        "私聊",
        "QQ糖 100g",
        "5 v type-c 充电",
        "限时折扣 12000口大容量",
        "下单抵扣10000积分",
        "企鹅12000口",
        "细微particle 轻微 nicotine",
        "飞机 boeing737 模型",
        "尺寸 18 20 22 24 26 2",
        "160-165-170-17",
    ],
)
def test_other_words_and_numbers_are_no_handles(text: str) -> None:
    assert contacts.handles(text) == set()


@given(st.text(max_size=80))
@settings(deadline=None)
def test_any_text_is_read(text: str) -> None:
    assert all(handle.text for handle in contacts.handles(text) | contacts.behind(text))


def signal(concept: str, text: str, field: str, start: int) -> dict[str, Any]:
    return {"concept": concept, "text": text, "field": field, "start": start, "end": start + len(text)}


def test_marks_of_the_classifier_and_codes_in_pictures_count_too() -> None:
    text = ListingText(id="1", title="绿软 vapor_king88", attributes={"联系": "电话13800138000"})
    codes = ["https://u.wechat.com/EAbc123", "https://shop.invalid/item/1", "https://[", "随便"]
    payload = {
        "signals": [
            signal("contact.handle", "绿软", "title", 0),
            *(signal("contact.qr_code", code, "images.0", 0) for code in codes),
        ],
        "images": [{"text": "企鹅号 10010086", "qr": codes}],
    }
    assert contacts.of_listing(text, payload) == [
        Handle("name", "vapor_king88"),
        Handle("number", "10010086"),
        Handle("phone", "13800138000"),
        Handle("qr", "u.wechat.com/EAbc123"),
    ]


def test_a_listing_full_of_handles_is_cut() -> None:
    text = ListingText(id="1", title=" ".join(f"微信 king_{n:05}" for n in range(500)))
    assert len(contacts.of_listing(text, {"signals": []})) == contacts.AT_MOST


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path) -> None:
    path = tmp_path / "var" / "contacts.key"
    handle = Handle("name", "vapor_king88")
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(Key(path).digest(handle))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(made) == {Key(path).digest(handle)}
    assert [file.name for file in path.parent.iterdir()] == ["contacts.key"]
    assert Key(tmp_path / "another").digest(handle) not in made
    assert Key(path).digest(Handle("number", "vapor_king88")) not in made


@pytest.mark.parametrize(
    ("content", "mode"), [("", 0o600), ("schlüssel", 0o600), ("ab" * 31, 0o600), ("ab" * 32, 0o644)]
)
def test_a_file_that_is_no_key_or_that_others_may_read_is_refused(tmp_path, content, mode) -> None:
    path = tmp_path / "contacts.key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=r"contacts\.key"):
        Key(path).digest(Handle("phone", "13800138000"))


@pytest.fixture
def keyed(ledger: Ledger, tmp_path) -> Ledger:
    """The ledger, opened again with a key."""
    opened = Ledger(
        ledger.engine.url.render_as_string(hide_password=False), contact_key=Key(tmp_path / "contacts.key")
    )
    yield opened
    opened.close()


HANDLE = "vapor_king88"
WORDS = {"title": "雾化器", "description": f"加微信 {HANDLE} 电话13800138000"}


def test_what_an_archive_shows_is_hashed_once_and_the_handle_is_nowhere_but_in_the_sellers_own_words(
    keyed, make, tmp_path
) -> None:
    with keyed.write() as session:
        listings = [make.listing(session) for _ in range(2)]
        make.verdict(session, make.snapshot(session, listings[0], **WORDS))
        make.snapshot(session, listings[1], **WORDS)  # never judged
    assert earlier_contacts.hash_archive(keyed, now=make.now) == 4
    assert earlier_contacts.hash_archive(keyed, now=make.now) == 0
    with keyed.read() as session:
        rows = session.scalars(
            sa.select(ContactHash).order_by(ContactHash.listing_id, ContactHash.kind)
        ).all()
        assert [row.kind for row in rows] == ["name", "phone"] * 2
        assert [row.digest for row in rows[:2]] == [row.digest for row in rows[2:]]
        for table in Base.metadata.sorted_tables:
            told = str(session.execute(sa.select(table)).all())
            assert table.name == "listing_snapshot" or (HANDLE not in told and "13800138000" not in told)


def test_a_ledger_without_a_key_keeps_no_contacts(sqlite_ledger, make) -> None:
    with sqlite_ledger.write() as session:
        make.snapshot(session, make.listing(session), **WORDS)
    assert earlier_contacts.hash_archive(sqlite_ledger, now=make.now) == 0


def test_an_intake_keeps_the_contacts_of_what_it_judges(keyed, make) -> None:
    with keyed.write() as session:
        offer = Listing(
            platform="sample",
            item_id="1",
            url="https://shop.invalid/item/1",
            seller=Seller(external_id="s", name="康康"),
            observed_at=make.now,
            **WORDS,
        )
        for _ in range(2):
            intake.store_listings(session, [offer], Suspicious(), road="import", now=make.now)
        assert sorted(session.scalars(sa.select(ContactHash.kind))) == ["name", "phone"]
