"""What is taken out of a page before it is kept, and what must stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers import saved_pages
from crawlers.answer import Answer
from crawlers.scrubbing import MASK, personal_in, scrubbed

PAGES = Path(__file__).parents[1] / "pages"
URL = "https://shop.example/item/13812345678.html?access_token=abc&id=13812345678"


def page(body: str, **headers: str) -> Answer:
    return Answer(URL, URL, 200, body.encode(), {"content-type": "text/html"} | headers)


def clean(body: str, names: tuple[str, ...] = ()) -> str:
    return scrubbed(page(f"<body>{body}</body>"), "13812345678", names)[0].body.decode()


@pytest.mark.parametrize(
    "personal",
    [
        "13912345678",
        "+86 139-1234-5678",
        "0571-88886666",
        "400-123-4567",
        "lily.wang@mail.example",
        "微信号：lily_2024",
        "vx: abc12345",
        "QQ 123456789",
        "11010119900307889X",
    ],
)
@pytest.mark.parametrize("place", ["<p>请联系{0}。</p>", "<a title='{0}'>x</a>", "<p>x</p>{0}"])
def test_ways_to_reach_a_person_are_masked_wherever_they_stand(personal, place):
    assert list(personal_in(personal))
    kept = clean(place.format(personal))
    assert personal not in kept
    assert MASK in kept
    assert not list(personal_in(kept))


@pytest.mark.parametrize("written", ["联系人：王小丽", "收货人: 李四", "owner: Lily Wang"])
def test_the_name_behind_a_label_is_masked(written):
    name = written.replace(":", "：").split("：")[1].strip()
    assert name not in clean(f"<p>{written} 请进</p>")


def test_names_that_are_given_are_masked_in_text_and_data():
    data = json.dumps({"@type": "Product", "seller": {"name": "丽丽的小号"}}, ensure_ascii=False)
    kept = clean(f'<script type="application/ld+json">{data}</script><a>丽丽的小号</a>', ("丽丽的小号",))
    assert "丽丽的小号" not in kept
    assert '"@type": "Product"' in kept


@pytest.mark.parametrize(
    "buyers",
    [
        '<div class="review-list"><p>SECRET 很好用</p></div>',
        '<ul id="comments"><li>SECRET</li></ul>',
        '<div itemprop="review"><b>SECRET</b></div>',
        '<span class="user-name">SECRET</span>',
        '<script type="application/ld+json">{"@type": "Product", "review": [{"author": "SECRET"}]}</script>',
        '<script>window.user = "SECRET"</script>',
        "<!-- SECRET -->",
        '<input type="hidden" name="csrf" value="SECRET">',
        '<meta name="csrf-token" content="SECRET">',
        "<a onclick=\"say('SECRET')\">x</a>",
        '<a href="/x?openid=SECRET&a=1">x</a>',
    ],
)
def test_buyers_visitors_and_their_tokens_are_taken_out(buyers):
    assert "SECRET" not in clean(buyers)


def test_headers_are_dropped_but_for_those_that_a_judgement_looks_at():
    answer, taken = scrubbed(
        page("x", **{"set-cookie": "a=1", "x-user": "me", "cf-mitigated": "challenge"}), "1"
    )
    assert answer.headers == {"content-type": "text/html; charset=utf-8", "cf-mitigated": "challenge"}
    assert taken["header"] == 2


def test_the_item_id_stays_even_if_it_looks_like_a_telephone_number():
    answer, _ = scrubbed(page("<p>13812345678</p>"), "13812345678")
    assert answer.url == "https://shop.example/item/13812345678.html?access_token=x&id=13812345678"
    assert b"13812345678" in answer.body


def test_a_picture_keeps_its_status_alone():
    answer, _ = scrubbed(Answer(URL, URL, 200, b"\x89PNG..", {"content-type": "image/png"}), "1")
    assert (answer.body, answer.status) == (b"", 200)


def test_broken_structured_data_stays_broken():
    script = '<script type="application/ld+json">{"@type": "Product", </script>'
    assert script in clean(script)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_page_breaks_the_scrubber_and_twice_is_once(text):
    once, _ = scrubbed(page(text), "1")
    twice, _ = scrubbed(once, "1")
    assert twice.body == once.body


def test_no_saved_page_of_the_project_holds_personal_data():
    for folder in {path.parent for path in PAGES.glob("*/*/page.html")}:
        saved = saved_pages.load(folder)
        found = [one for one in personal_in(saved.answer.html) if one != saved.expected.item_id]
        assert found == [], folder
        assert not {"set-cookie", "cookie"} & saved.answer.headers.keys(), folder
