"""Mails that people who wish us ill would write."""

from __future__ import annotations

import time
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takedowns.replies import mail
from takedowns.replies.mail import Mail, MailError, read

PLAIN = b"From: desk@shop.invalid\r\nSubject: hi\r\n\r\nbody\r\n"


def test_a_plain_mail_is_its_sender_subject_and_text() -> None:
    assert read(PLAIN) == Mail("desk@shop.invalid", "hi", (), "body\r\n", ())


@pytest.mark.parametrize(
    "written",
    [
        "",
        "From: \r\n",
        "From: desk@shop.invalid\r\nFrom: desk@evil.invalid\r\n",
        "From: desk@shop.invalid, desk@evil.invalid\r\n",
        "From: =?utf-8?q?desk=40shop.invalid?=\r\n",
        "From: undisclosed:;\r\n",
        "From: desk@shop.invalid@evil.invalid\r\n",
        "From: de\x01sk@shop.invalid\r\n",
        "From: " + "(" * 5_000 + "desk@shop.invalid\r\n",
    ],
)
def test_a_sender_that_is_not_exactly_one_address_is_none(written: str) -> None:
    try:
        assert read(written.encode() + b"Subject: hi\r\n\r\nbody\r\n").sender is None
    except MailError:
        return


def test_a_name_that_looks_like_an_address_is_only_a_name() -> None:
    assert read(b'From: "desk@shop.invalid" <x@evil.invalid>\r\n\r\n').sender == "x@evil.invalid"


def test_control_and_bidirectional_characters_leave_no_trace_in_what_is_shown() -> None:
    found = read("Subject: a\x1b[31m\x07b\u202ec =?utf-8?b?DQpCY2M6IHhA?=\r\n\r\n".encode())
    assert found.subject.isprintable()
    assert "\n" not in found.subject


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("; charset=gb2312", "gb18030"),
        ("; charset=gbk", "gbk"),
        ("; charset=utf-8", "gbk"),
        ("; charset=us-ascii", "utf-8"),
        ("; charset=iso-8859-1", "gbk"),
        ("; charset=punycode", "utf-8"),
        ("; charset=x-none", "gbk"),
        ("; charset=big5", "big5"),
        ("", "gbk"),
        ("", "utf-8"),
    ],
)
def test_chinese_is_read_whatever_the_label_says(label: str, codec: str) -> None:
    words = "线索编号處置措施已經下架" if codec == "big5" else "线索编号：处置措施已下架，说明如下"
    head = f"Content-Type: text/plain{label}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    if codec == "big5":
        words = "處置措施已經下架"
    assert read(head.encode() + words.encode(codec)).text == words


def test_attachments_keep_their_names_without_a_path() -> None:
    message = EmailMessage()
    message.set_content("见附件")
    for name in ("反馈表.xlsx", "..\\..\\a.csv", "/etc/b.csv", "c\x00\u202ed.csv"):
        message.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=name)
    message.add_attachment("a,b", subtype="csv")
    names = [attachment.name for attachment in read(message.as_bytes()).attachments]
    assert names[:3] == ["反馈表.xlsx", "a.csv", "b.csv"]
    assert names[3].isprintable()
    assert names[4] == "attachment.csv"


def test_a_mail_within_the_mail_is_an_attachment_and_not_its_words() -> None:
    inner = EmailMessage()
    inner.set_content("2026-0000-01001 已删除")
    inner.add_attachment("a,b", subtype="csv", filename="others.csv")
    message = EmailMessage()
    message.set_content("转发，请查收")
    message.add_attachment(inner)
    found = read(message.as_bytes())
    assert found.text.strip() == "转发，请查收"
    assert [attachment.name for attachment in found.attachments] == ["attachment.rfc822"]


@pytest.mark.parametrize(
    ("head", "automatic"),
    [
        ("Auto-Submitted: auto-replied (vacation)", True),
        ("auto-submitted: Auto-Replied", True),
        ("Content-Type: multipart/report; boundary=b", True),
        ("Auto-Submitted: auto-generated", False),  # a ticket system, say
        ("Auto-Submitted: no", False),
        ("X: y", False),
    ],
)
def test_the_answer_of_a_machine_is_known(head: str, automatic: bool) -> None:
    assert read(f"{head}\r\nFrom: desk@shop.invalid\r\n\r\nx\r\n".encode()).automatic is automatic


def nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(depth)
    )


BOMBS = {
    "parts in parts": nested(10_000),
    "mails in mails": b"Content-Type: message/rfc822\r\n\r\n" * 10_000,
    "a part a line": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 200_000,
    "a status a line": b"Content-Type: message/delivery-status\r\n\r\n" + b"a: b\r\n\r\n" * 150_000,
    "a header a line": b"a: b\r\n" * 300_000,
    "one long header": b"Content-Type: text/plain" + b";a=b" * 400_000 + b"\r\n\r\n",
    "lines": b"\r\n\r\n" + b"\n" * 5_000_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_in_no_time(bomb: bytes) -> None:
    started = time.process_time()
    with pytest.raises(MailError):
        read(bomb)
    assert time.process_time() - started < 5


HEADERS = st.sampled_from(
    ["From", "Subject", "Content-Type", "Content-Disposition", "Authentication-Results"]
)
LINES = st.tuples(HEADERS, st.text(max_size=60)).map(lambda line: f"{line[0]}: {line[1]}\r\n")


@settings(max_examples=150)
@given(st.lists(LINES, max_size=6), st.binary(max_size=200))
def test_any_mail_is_read_or_refused_and_what_is_read_can_be_stored(lines: list[str], body: bytes) -> None:
    try:
        found = read("".join(lines).encode("utf-8", "surrogatepass") + b"\r\n" + body)
    except MailError:
        return
    shown = (found.sender or "", found.subject, found.text, *(item.name for item in found.attachments))
    assert "".join(shown).encode() is not None
    assert found.subject == mail.clean(found.subject, mail.SUBJECT_AT_MOST)


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_mail_or_refused(data: bytes) -> None:
    try:
        read(data)
    except MailError:
        return
