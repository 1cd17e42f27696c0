from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.replies.senders import is_genuine

OURS = "mx.bureau.invalid"


@pytest.mark.parametrize(
    "result",
    [
        "dmarc=pass header.from=shop.invalid",
        "dmarc=pass (p=reject; sp=none) header.from=Shop.Invalid",
        "dkim=pass header.d=shop.invalid header.s=k1; spf=fail smtp.mailfrom=evil.invalid",
        "dkim=pass (good (really)) header.i=@shop.invalid",
        "spf=pass smtp.mailfrom=bounce@shop.invalid",
        'dkim=pass reason="all; well" header.d=shop.invalid',
        "dkim=fail header.d=evil.invalid; dkim=pass header.d=shop.invalid",
    ],
)
def test_a_pass_for_the_domain_itself_is_believed(result: str) -> None:
    assert is_genuine([f"{OURS}; {result}"], "shop.invalid", OURS)
    assert is_genuine([f"{OURS} 1;\r\n\t{result}"], "shop.invalid", OURS)


@pytest.mark.parametrize(
    "result",
    [
        "none",
        "",
        "dmarc=fail header.from=shop.invalid; dkim=pass header.d=shop.invalid",
        "dmarc=none header.from=shop.invalid; spf=none smtp.mailfrom=shop.invalid",
        "dkim=pass header.d=evil.invalid; spf=pass smtp.mailfrom=evil.invalid",
        "dkim=pass header.d=evilshop.invalid",
        "dkim=pass header.d=shop.invalid.evil.invalid",
        "arc=pass header.d=shop.invalid",
        "spf=pass smtp.helo=shop.invalid",
        "spf=pass (dmarc=pass header.from=shop.invalid) smtp.mailfrom=evil.invalid",
        'spf=pass smtp.mailfrom="x; dmarc=pass header.from=shop.invalid"@evil.invalid',
        'spf=pass smtp.mailfrom="x) ; dkim=pass header.d=shop.invalid ("@evil.invalid',
        "x-dmarc=pass header.from=shop.invalid",
        "dmarc=none header.from=evil.invalid; dmarc=pass header.from=shop.invalid",
        "dkim=pass header.d=evil.invalid header.i=@shop.invalid",
        "dkim=pass header.d=evil.invalid header.d=shop.invalid",
        "spf=pass smtp.mailfrom=evil.invalid smtp.from=x@shop.invalid",
        "spf=pass (evil ( ; dmarc=pass header.from=shop.invalid",
        "spf=none evil) ; dmarc=pass header.from=shop.invalid",
        'dkim=pass reason="a; dmarc=pass header.from=shop.invalid; header.d=evil.invalid',
        'dkim=pass reason="a\\"; dmarc=pass header.from=shop.invalid; \\"" header.d=evil.invalid',
        "spf=pass smtp.mailfrom=x\\;dmarc=pass header.from=shop.invalid\\@evil.invalid",
    ],
)
def test_anything_else_is_not(result: str) -> None:
    assert not is_genuine([f"{OURS}; {result}"], "shop.invalid", OURS)


def test_only_the_topmost_header_of_our_own_server_counts() -> None:
    forged = f"{OURS}; dmarc=pass header.from=shop.invalid"
    assert not is_genuine([f"{OURS}; dmarc=none", forged], "shop.invalid", OURS)
    assert not is_genuine([forged.replace(OURS, "mx.evil.invalid")], "shop.invalid", OURS)
    assert is_genuine(["mx.other.invalid; dmarc=fail", forged], "shop.invalid", OURS)
    assert not is_genuine([], "shop.invalid", OURS)


def test_a_name_that_ours_begins_or_ends_is_another_server() -> None:
    for name in (f"{OURS}.evil.invalid", f"evil.{OURS}", f"x{OURS}", f"x {OURS}", ""):
        assert not is_genuine([f"{name}; dmarc=pass header.from=shop.invalid"], "shop.invalid", OURS)
    for name in (f"(c) {OURS} (x) 1", f'"{OURS}"', OURS.upper()):
        assert is_genuine([f"{name}; dmarc=pass header.from=shop.invalid"], "shop.invalid", OURS)


@pytest.mark.parametrize("bomb", ["(" * 10_000 + ")" * 10_000, "(" * 20_000, "()" * 10_000, '(\\"' * 6_000])
def test_headers_full_of_comments_are_read_in_no_time(bomb: str) -> None:
    started = time.process_time()
    is_genuine([bomb] * 25, "shop.invalid", OURS)
    assert time.process_time() - started < 5


@given(st.lists(st.text(st.sampled_from('abp=;.()"\\ \n@'), max_size=80), max_size=3))
def test_no_text_without_our_servers_name_is_believed(results: list[str]) -> None:
    assert not is_genuine(results, "shop.invalid", OURS)
