from __future__ import annotations

from pathlib import Path

import pytest

from takedowns.sample_market import corpus
from takedowns.sample_market.corpus import CorpusError, read_corpus, read_hostile

GOOD = (
    '{"id": "TB0001", "lang": "zh", "title": "雾化\u2028器", "description": "", "attributes": {}, '
    '"price": "9", "shop": "店", "label": "benign", "why": "unused"}'
)


def write(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "corpus").mkdir()
    (folder / "corpus" / "rows.jsonl").write_text(text, encoding="utf-8")
    monkeypatch.setattr(corpus, "files", lambda _package: folder)


def test_a_line_separator_inside_a_title_does_not_split_the_row(tmp_path, monkeypatch):
    write(tmp_path, GOOD + "\n\n", monkeypatch)
    assert [row.title for row in read_corpus()] == ["雾化\u2028器"]


def test_a_bad_row_is_named_by_file_and_line(tmp_path, monkeypatch):
    write(tmp_path, GOOD + "\n" + GOOD.replace("benign", "harmless"), monkeypatch)
    with pytest.raises(CorpusError, match=r"rows\.jsonl:2: [\s\S]*label"):
        read_corpus()


def test_a_row_without_shop_or_price_is_no_offer(tmp_path, monkeypatch):
    bare = [GOOD.replace('"price": "9"', '"price": ""'), GOOD.replace('"shop": "店"', '"shop": ""')]
    write(tmp_path, "\n".join(bare), monkeypatch)
    assert read_corpus() == ()


def test_a_missing_corpus_is_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "files", lambda _package: tmp_path)
    with pytest.raises(CorpusError, match="missing"):
        read_corpus()


def test_the_hostile_rows_hold_what_they_are_for():
    text = "".join(row.title + row.description + row.shop for row in read_hostile())
    for sign in ("<script>", "=HYPERLINK(", "\u202e", "\u0000", "\u001b[", "\u200b", "{{"):
        assert sign in text
    assert max(len(row.title) for row in read_hostile()) > 5000
    assert any(row.violating for row in read_hostile())
    assert not all(row.violating for row in read_hostile())
