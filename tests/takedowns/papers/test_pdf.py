from __future__ import annotations

import builtins
import logging
import re
from pathlib import Path

import pypdfium2
import pytest

from takedowns.letters import LetterError
from takedowns.papers import fonts, pdf
from takedowns.papers.fonts import printable

ATTACK = (
    '</td></table><img src="http://127.0.0.1:9/x.png"><script>fetch("/ran")</script>'
    "<style>body{display:none}</style>{{ 7*7 }}"
)


def _pages(data):
    document = pypdfium2.PdfDocument(data)
    return [page.get_textpage().get_text_bounded() for page in document]


def _joined(*texts):
    """Without spaces and line ends, which come from setting it; nor hyphens, one of which may end a line."""
    return re.sub(r"[\s\x02\ufffe-]", "", "".join(texts))


def _told(written):
    yield from (written.office, written.number, written.title, written.addressee)
    yield from (one.text for one in (*written.opening, *written.closing))
    for entry in written.entries:
        yield from (entry.number, entry.item_id, entry.url, *entry.lines)
    yield from (*written.notes, *written.attachments, *written.signature)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_printed_letter_holds_every_line(sqlite_ledger, drafted, letter_of, lang):
    with sqlite_ledger.write() as session:
        written = letter_of(drafted(session, ["医用雾化器 便携", "植物饮料 荔枝味"], lang))
    shown = _joined(*_pages(pdf.render(written)))
    assert [line for line in _told(written) if _joined(line) not in shown] == []


def test_what_sellers_wrote_is_text_and_nothing_else(sqlite_ledger, drafted, letter_of):
    with sqlite_ledger.write() as session:
        written = letter_of(drafted(session, [ATTACK, "雾化器"], shop=ATTACK))
    data = pdf.render(written)
    shown = _joined(*_pages(data))
    assert shown.count(_joined(ATTACK[:60])) == 3  # the title and both shops
    assert "以上均为涉嫌线索" in shown
    assert not re.search(rb"/(URI|JavaScript|JS|Launch|EmbeddedFile|Image)\b", data)


def test_an_attempt_to_fetch_ends_the_printing(sqlite_ledger, drafted, letter_of, monkeypatch, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"")
    monkeypatch.setattr(pdf, "_page", lambda _: f'<img src="{(tmp_path / "secret.png").as_uri()}">')
    fatal = pdf.library().urls.FatalURLFetchingError
    with sqlite_ledger.write() as session, pytest.raises(fatal, match="secret"):
        pdf.render(letter_of(drafted(session, ["雾化器"])))


def test_a_character_that_the_fonts_lack_is_told_by_its_number(sqlite_ledger, drafted, letter_of, caplog):
    caplog.set_level(logging.WARNING, logger="weasyprint")
    with sqlite_ledger.write() as session:
        data = pdf.render(letter_of(drafted(session, ["🍉雾化 مر ①"])))
    assert "标题：[U+1F349]雾化[U+0645][U+0631]①" in _joined(*_pages(data))
    assert not [record for record in caplog.records if "notdef" in record.getMessage()]


def test_text_that_the_fonts_have_stays_as_it_is():
    assert (
        printable("医用雾化器（便携）Ａ+ é “8000口” 《法》〔2025〕")
        == "医用雾化器（便携）Ａ+ é “8000口” 《法》〔2025〕"
    )


def test_a_missing_font_is_an_error_that_names_it(monkeypatch):
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Song SC",))
    fonts._characters.cache_clear()
    with pytest.raises(LetterError, match=r"No Such Song SC is missing: install fonts-noto-cjk"):
        printable("烟")
    fonts._characters.cache_clear()


def test_the_letter_is_set_in_the_fonts_that_are_checked():
    style = (Path(pdf.__file__).parent / "templates/letter.css").read_text(encoding="utf-8")
    assert set(re.findall(r'"(Noto[^"]*)"', style)) == set(fonts.FAMILIES)


def test_missing_pango_is_an_error_that_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def importing(name, *rest):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(LetterError, match=r"install libpango-1\.0-0"):
        pdf.library()


def test_a_row_longer_than_a_page_is_set_in_full(sqlite_ledger, drafted, letter_of):
    url = f"https://shop.invalid/item/1?{'x' * 1900}END"
    with sqlite_ledger.write() as session:
        written = letter_of(drafted(session, ["🍉" * 120], url=url))
    pages = _pages(pdf.render(written))
    shown = _joined(*pages)
    assert (shown.count("x"), shown.count("END")) == (1900, 1)
    assert shown.count("[U+1F349]") == 160


def test_twenty_leads_repeat_their_heading_on_each_page(sqlite_ledger, drafted, letter_of):
    with sqlite_ledger.write() as session:
        pages = _pages(pdf.render(letter_of(drafted(session, ["医用雾化器"] * 20))))
    with_leads = ["2026-0000-000" in page for page in pages]
    assert sum(with_leads) > 2
    assert with_leads == ["线索编号及商品ID" in page for page in pages]


def test_the_same_letter_gives_the_same_bytes_and_tells_no_other_time(sqlite_ledger, drafted, letter_of):
    with sqlite_ledger.write() as session:
        written = letter_of(drafted(session, ["医用雾化器"]))
    first, second = pdf.render(written), pdf.render(written)
    assert first == second
    told = pypdfium2.PdfDocument(first).get_metadata_dict(skip_empty=True)
    assert told == {
        "Title": f"{written.title} {written.number}",
        "Author": written.office,
        "Producer": told["Producer"],
        "CreationDate": "D:20261012013000+00'00",
    }
