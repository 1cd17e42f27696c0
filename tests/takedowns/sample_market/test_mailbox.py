from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest

from takedowns.sample_market.client import RunningMarket


def notice(market: RunningMarket, item: dict[str, str], message_id: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "bureau@example.org", "platform@example.org"
    mail["Subject"], mail["Message-ID"] = "涉嫌违规商品线索", message_id
    line = f"VW-{item['item_id']} | {item['item_id']} | {market.base_url}{item['path']}"
    mail.set_content(f"以下商品涉嫌违规，请依法处置。\n\n线索编号 | 商品ID | 链接\n{line}\n")
    return mail


def send(market: RunningMarket, mail: EmailMessage) -> None:
    with smtplib.SMTP(market.smtp_host, market.smtp_port, timeout=10) as server:
        server.send_message(mail)


def test_a_mailed_notice_is_kept_raw_and_its_leads_are_taken_up(market: RunningMarket, fresh):
    item = fresh("bazaar")
    send(market, notice(market, item, "<kept@example.org>"))
    listing = next(i for i in market.truth()["listings"] if i["item_id"] == item["item_id"])
    assert [lead["number"] for lead in listing["leads"]] == [f"VW-{item['item_id']}"]
    assert any(b"<kept@example.org>" in file.read_bytes() for file in (market.state / "notices").iterdir())


def test_a_notice_mailed_twice_is_counted_as_a_duplicate(market: RunningMarket, fresh):
    item, before = fresh("mall"), market.truth()["notices"]
    for _ in range(2):
        send(market, notice(market, item, "<twice@example.org>"))
    after = market.truth()["notices"]
    assert after["received"] == before["received"] + 2
    assert after["duplicates"] == before["duplicates"] + 1
    listing = next(i for i in market.truth()["listings"] if i["item_id"] == item["item_id"])
    assert len(listing["leads"]) == 1


def test_a_mail_that_cannot_be_read_is_kept_and_refused(market: RunningMarket):
    raw = b"Message-ID: <odd@example.org>\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff"
    with (
        smtplib.SMTP(market.smtp_host, market.smtp_port, timeout=10) as server,
        pytest.raises(smtplib.SMTPDataError, match="554"),
    ):
        server.sendmail("a@example.org", ["b@example.org"], raw)
    assert any(b"<odd@example.org>" in file.read_bytes() for file in (market.state / "notices").iterdir())
