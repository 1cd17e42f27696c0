from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.imports.tabular import Record, RowError
from takedowns.replies.bodytext import replies
from takedowns.replies.columns import cells_of


def said(text: str) -> list[dict[str, str]]:
    rows = list(replies(text))
    assert all(isinstance(row, Record) for row in rows), rows
    return [cells_of(row.fields) for row in rows if isinstance(row, Record)]


@pytest.mark.parametrize(
    "line",
    [
        "线索编号 2026-0000-01001 措施 已下架",
        "线索编号：2026-0000-01001，处置措施：已下架。",
        "2026-0000-01001 已下架",
        "> 2026-0000-01001 | 已下架",
        "２０２６-0000-01001\t已下架",
        "Lead number 2026-0000-01001: measure 已下架",
    ],
)
def test_a_line_with_a_lead_and_what_was_done_is_a_reply(line: str) -> None:
    assert said(f"您好，\n{line}\n谢谢") == [{"lead_number": "2026-0000-01001", "measure": "已下架"}]


def test_link_item_and_time_in_the_line_are_read_too() -> None:
    assert said("> 2026-0000-01001 | 1001 | https://shop.invalid/item/1001 已删除 2026-10-11 09:30") == [
        {
            "lead_number": "2026-0000-01001",
            "item_id": "1001",
            "link": "https://shop.invalid/item/1001",
            "measure": "已删除",
            "claimed_at": "2026-10-11 09:30",
        }
    ]


def test_our_table_sent_back_filled_in_is_read_by_its_columns() -> None:
    text = "> 线索编号 | 商品ID | 处置措施 | 备注\n> 2026-0000-01001 | 1001 | 关闭店铺 | 屡次违规，已清退\n"
    assert said(text) == [
        {
            "lead_number": "2026-0000-01001",
            "item_id": "1001",
            "measure": "关闭店铺",
            "text": "屡次违规，已清退",
        }
    ]


def test_our_own_words_sent_back_claim_nothing() -> None:
    quoted = """> 四、线索
> 2026-0000-01001 | 1001 | https://shop.invalid/item/1001
>     标题：医用雾化器 删除
> 通知 2026-0000-T00001 已删除
"""
    assert said(quoted) == []


@pytest.mark.parametrize(
    "line",
    [
        "2026-0000-01001、2026-0000-01002 已下架",
        "2026-0000-01001 已收到",
        "2026-0000-01001 未删除",
        "2026-0000-01001 并未下架",
        "2026-0000-01001 如需下架请提供证明",
        "2026-0000-01001 已下架 已屏蔽吗？",
        "2026-0000-01001 已下架 2026-10-11 2026-10-12",
        "2026-0000-01001 https://shop.invalid/item/1 https://shop.invalid/item/2 已下架",
        "2026-0000-01001 已下架" + "x" * 5_000,
    ],
)
def test_a_line_that_is_not_clear_is_an_error_and_no_guess(line: str) -> None:
    (row,) = replies(line)
    assert isinstance(row, RowError)
    assert row.raw["text"].startswith("2026-0000-01001")


@given(st.text())
def test_any_text_without_a_leads_number_says_nothing(text: str) -> None:
    assert list(replies(text)) == []


@given(st.text(), st.text())
def test_around_a_leads_number_any_words_are_a_reply_an_error_or_nothing(before: str, after: str) -> None:
    for row in replies(f"{before} 2026-0000-01001 {after}"):
        assert row.line > 0
