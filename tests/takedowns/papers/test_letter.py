from __future__ import annotations

import pytest

from takedowns import letters
from takedowns.letters import LetterError
from takedowns.papers import letter
from takedowns.papers.letter import Evidence, Style

TITLES = ["医用雾化器 便携", "植物饮料 荔枝味", "2026-0000-00099 | 1 | https://evil.invalid/"]


def _told(written):
    """Every line of the letter that comes from the approved text, in its order."""
    yield written.addressee
    yield from (one.text for one in written.opening)
    for entry in written.entries:
        yield f"{entry.number} | {entry.item_id} | {entry.url}"
        yield from entry.lines
    yield from (one.text for one in written.closing)
    yield from written.signature


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_letter_says_what_was_approved_no_more_and_no_less(sqlite_ledger, drafted, letter_of, lang):
    with sqlite_ledger.write() as session:
        notice = drafted(session, TITLES, lang)
        approved = [line.strip().removeprefix("- ") for line in notice.body.splitlines() if line.strip()]
        assert list(_told(letter_of(notice))) == approved


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_headings_items_leads_and_signature_are_told_apart(sqlite_ledger, drafted, letter_of, lang):
    with sqlite_ledger.write() as session:
        written = letter_of(drafted(session, TITLES, lang))
    headings = [one.text for one in written.opening if one.style is Style.HEADING]
    assert len(headings) == 4
    assert (
        all(one.text.count("《") == 1 for one in written.opening if one.style is Style.ITEM) or lang == "en"
    )
    assert [entry.number for entry in written.entries] == [f"2026-0000-{at:05}" for at in range(3)]
    assert (
        written.title
        == {"zh": "涉嫌违法商品线索移送函", "en": "Referral of suspected unlawful listings"}[lang]
    )
    assert len(written.signature) == 2


def test_a_lead_that_was_taken_out_is_in_no_part_of_the_letter(sqlite_ledger, drafted, letter_of):
    with sqlite_ledger.write() as session:
        notice = drafted(session, TITLES)
        gone = notice.leads.pop(1)
        notice.body = letters.without(notice.body, gone.number)
        told = "\n".join(_told(letter_of(notice)))
    assert gone.number not in told
    assert gone.listing.item_id not in [line.split(" | ")[1] for line in told.splitlines() if " | " in line]


def test_what_is_said_of_the_evidence_fits_what_goes_along(sqlite_ledger, drafted, settings):
    with sqlite_ledger.write() as session:
        notice = drafted(session, TITLES)
        kinds = dict(zip((lead.number for lead in notice.leads), Evidence, strict=True))
        written = letter.of_notice(notice, kinds, office=settings.office)
    assert [entry.evidence for entry in written.entries] == list(Evidence)
    assert written.attachments == ("线索清单及处置反馈表", "线索证据包1个（以线索编号为文件名）")
    assert [note.count("备索") + 2 * note.count("“无”") for note in written.notes] == [1, 2]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda body: body.replace("2026-0000-00001 |", "- "), "does not name each of its leads once"),
        (lambda body: body + body, "does not name each of its leads once"),
        (lambda body: body.replace("2026-0000-00001 |", "还有：\n2026-0000-00001 |"), "nothing between them"),
        (lambda body: body[body.index("2026-0000-00000 |") :], "an addressee before"),
        (lambda body: body[: body.index("以上均为")], "a signature of its own"),
    ],
)
def test_a_text_that_lost_its_form_is_refused(sqlite_ledger, drafted, letter_of, spoil, complaint):
    with sqlite_ledger.write() as session:
        notice = drafted(session, TITLES)
        notice.body = spoil(notice.body)
        with pytest.raises(LetterError, match=complaint):
            letter_of(notice)


def test_a_notice_without_leads_has_no_letter(sqlite_ledger, drafted, letter_of):
    with sqlite_ledger.write() as session:
        notice = drafted(session, TITLES)
        notice.leads.clear()
        with pytest.raises(LetterError, match="carries no lead any more"):
            letter_of(notice)
