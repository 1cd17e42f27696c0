from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.masking import masked


@pytest.mark.parametrize(
    "personal",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "+86 13812345678",
        "１３８１２３４５６７８",
        "0571-87654321",
        "(021)87654321",
        "110101199003071234",
        "11010119900307123X",
        "110101900307123",
        "zhang.san@mail.example",
    ],
)
def test_what_finds_a_person_is_masked(personal):
    assert masked(f"请回电{personal}，谢谢") == "请回电***，谢谢"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("举报人：张三，称有人卖电子烟", "举报人：***，称有人卖电子烟"),
        ("联系人姓名: 李四\n内容", "联系人姓名: ***\n内容"),
        ("Reporter: Smith, says so", "Reporter: ***, says so"),
    ],
)
def test_a_name_behind_a_label_is_masked(text, left):
    assert masked(text) == left


@pytest.mark.parametrize(
    "harmless",
    [
        "https://shop.invalid/item/13812345678?sku=110101199003071234",
        "商品ID 612345678901",
        "粤械注准20202140001",
        "条码6901234567890",
        "8000口 2.5元 2026-10-12",
    ],
)
def test_what_finds_no_person_stays(harmless):
    assert masked(harmless) == harmless


@given(st.text(max_size=300))
def test_masking_twice_is_masking_once_and_never_fails(text):
    assert masked(masked(text)) == masked(text)


@given(st.text(alphabet="的,。:x \n", max_size=20), st.integers(10**8, 10**9 - 1))
def test_no_mobile_number_gets_through(around, rest):
    number = f"13{rest}"
    assert number not in masked(f"的{around}，{number}，{around}")
