from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takedowns.sample_market.notices import UnreadableNotice, parse_mail

ADDRESS = "http://127.0.0.1:8600/mall/item/{}.html"


def mail(text: str, message_id: str = "<one@example.org>", html: str | None = None) -> bytes:
    message = EmailMessage()
    message["Message-ID"] = message_id
    message["Subject"] = "涉嫌违规商品线索"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def test_each_line_of_the_lead_table_is_a_lead():
    lines = "\n".join(f"VW-{n} | {n:010} | {ADDRESS.format(f'{n:010}')}" for n in (1, 2))
    notice = parse_mail(
        mail(f"您好：\n线索编号 | 商品ID | 链接\n{lines}\n此致\n", html="<p>not this part</p>")
    )
    assert notice.message_id == "<one@example.org>"
    assert [(lead.number, lead.item_id) for lead in notice.leads] == [
        ("VW-1", "0000000001"),
        ("VW-2", "0000000002"),
    ]


def test_the_address_decides_which_listing_is_meant():
    notice = parse_mail(mail(f"VW-1 | 9999999999 | {ADDRESS.format('1234567890')}"))
    assert notice.leads[0].item_id == "1234567890"


def test_a_mail_without_leads_is_a_notice_with_none():
    assert parse_mail(mail("问候")).leads == ()


def test_a_mail_without_message_id_is_unreadable():
    with pytest.raises(UnreadableNotice, match="message_id"):
        parse_mail(b"Subject: x\n\nVW-1 | 1 | http://a/item/1234567890.html")


def test_a_mail_in_an_unknown_charset_is_unreadable():
    raw = b"Message-ID: <a@b>\nContent-Type: text/plain; charset=nonsense\n\n\xff\xfe"
    with pytest.raises(UnreadableNotice, match="nonsense"):
        parse_mail(raw)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes):
    try:
        notice = parse_mail(b"Message-ID: <a@b>\n" + raw)
    except UnreadableNotice:
        return
    assert notice.message_id
