from __future__ import annotations

import io
import zipfile

import docx as reader
import pytest

from takedowns.letters import clean
from takedowns.papers import docx

HOSTILE = (
    "雾化\x0b\ufffe\ufdd0\u202e</w:t><w:instrText>INCLUDETEXT http://evil.invalid</w:instrText>"
    + "A" * 10_000
)


def _texts(data):
    document = reader.Document(io.BytesIO(data))
    rows = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    return [line.text for line in document.paragraphs], rows


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_document_holds_every_line(sqlite_ledger, drafted, letter_of, lang):
    with sqlite_ledger.write() as session:
        written = letter_of(drafted(session, ["医用雾化器 便携", "植物饮料 荔枝味"], lang))
    lines, rows = _texts(docx.render(written))
    text = "\n".join(lines)
    told = (
        written.office,
        written.number,
        written.title,
        written.addressee,
        *written.attachments,
        *written.notes,
    )
    assert [line for line in told if line not in text] == []
    assert [one.text for one in (*written.opening, *written.closing) if one.text not in text] == []
    assert lines[-2:] == list(written.signature)
    assert [row[1:3] for row in rows[1:]] == [
        [f"{entry.number}\n{entry.item_id}", "\n".join((entry.url, *entry.lines))]
        for entry in written.entries
    ]


def test_hostile_text_is_text(sqlite_ledger, drafted, letter_of):
    with sqlite_ledger.write() as session:
        notice = drafted(session, [HOSTILE], shop=HOSTILE)
        data = docx.render(letter_of(notice))
    _, rows = _texts(data)
    assert f"标题：{clean(HOSTILE, 120)}\n店铺：{clean(HOSTILE, 120)}" in rows[1][2]
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        fields = parts.read("word/document.xml").count(b"<w:instrText")
        links = [name for name in parts.namelist() if b'TargetMode="External"' in parts.read(name)]
    assert (fields, links) == (0, [])


def test_forty_leads_repeat_their_heading_on_each_page(sqlite_ledger, drafted, letter_of):
    with sqlite_ledger.write() as session:
        data = docx.render(letter_of(drafted(session, ["雾化器"] * 40)))
    _, rows = _texts(data)
    assert len(rows) == 41
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert parts.read("word/document.xml").count(b"<w:tblHeader/>") == 1


def test_the_same_letter_gives_the_same_bytes_and_tells_no_other_time(sqlite_ledger, drafted, letter_of, now):
    with sqlite_ledger.write() as session:
        written = letter_of(drafted(session, ["医用雾化器"]))
    data = docx.render(written)
    assert data == docx.render(written)
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert parts.namelist()[0] == "[Content_Types].xml"
    told = reader.Document(io.BytesIO(data)).core_properties
    assert told.created == told.modified == now
    assert (told.author, told.last_modified_by, told.comments) == (written.office, written.office, "")
