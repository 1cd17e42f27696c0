"""What ``config/law.yml`` may cite: only articles whose number and content were confirmed, named below."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from classifiers.verdict import Label
from classifiers.yamlfile import ConfigError
from takedowns import law

# law → its confirmed articles; that they are cited for what they say is for a reader of the law to judge
CONFIRMED = {
    "电子烟管理办法": {2, 3, 5, 6, 7, 18, 19, 20, 22, 23, 26, 42},
    "烟草专卖法": {2, 3, 16, 18, 22, 32},
    "烟草专卖法实施条例": {6, 23, 25, 46, 56, 57, 58, 65},
    "烟草专卖许可证管理办法实施细则": {51},
    "医疗器械监督管理条例": {6, 13, 15, 16, 41, 42, 43, 46, 55, 60, 81, 83, 84, 86, 92, 103},
    "广告法": {16, 17, 22, 28, 40, 45, 46, 55, 57, 58, 63},
    "电子商务法": {12, 13, 15, 17, 25, 27, 28, 29, 31, 36, 38, 59, 75, 80, 83},
    "消费者权益保护法": {8, 20, 44, 55},
    "国务院办公厅关于全链条打击涉烟违法活动的意见": {11, 12, 13},
}
DOCUMENTS = {"国办发〔2025〕44号", "国家烟草专卖局公告2026年第1号"}
# Numbers and texts that nobody could confirm, or that a later law changed.
UNCONFIRMED = (
    *(
        "2018年第26号",
        "2019年第1号",
        "2010〕7号",
        "总局令",
        "第72号",
        "第38号",
        "第24号",
        "2024年",
        "2024 reply",
    ),
    *("网络交易监督管理办法", "互联网广告管理办法", "医疗器械网络销售", "食品安全法", "食品生产许可"),
    *(
        "消毒管理办法",
        "反不正当竞争法",
        "网络安全法",
        "直播电商",
        "未成年人网络保护条例",
        "12315",
        "12377",
        "12305",
    ),
    *("Food Safety", "Cybersecurity", "Unfair Competition", "Online Trad", "Internet Advertising", "Live"),
)
LAW = re.compile(r"《(?P<law>[^》]+)》(?P<rest>[^《]*)")
ARTICLE = re.compile(r"第([一二三四五六七八九十百]+)[条项]")
ENGLISH_ARTICLE = re.compile(r"(?:Articles?|point) (\d+)(?: and (\d+))?")
DIGITS = "一二三四五六七八九"


def _number(numeral: str) -> int:
    """
    >>> _number("十七"), _number("六十五"), _number("一百零三")
    (17, 65, 103)
    """
    hundreds, _, rest = numeral.rpartition("百")
    tens, ten, ones = rest.strip("零").rpartition("十")
    value = {"": 0, **{digit: at for at, digit in enumerate(DIGITS, 1)}}
    return value[hundreds] * 100 + (value[tens] or bool(ten)) * 10 + value[ones]


def _cited(zh: str) -> dict[str, set[int]]:
    return {
        found["law"]: {_number(numeral) for numeral in ARTICLE.findall(found["rest"])}
        for found in LAW.finditer(zh)
    }


@pytest.fixture(scope="module")
def rules() -> law.Law:
    return law.load(Path("config/law.yml"))


def test_every_article_that_is_cited_was_confirmed(rules: law.Law) -> None:
    for name, clause in rules.clauses.items():
        cited = _cited(clause.zh)
        assert cited or any(document in clause.zh for document in DOCUMENTS), name
        for title, articles in cited.items():
            assert articles, f"{name}: {title} without article"
            assert articles <= CONFIRMED[title], f"{name}: {title}"


def test_both_languages_cite_the_same_articles(rules: law.Law) -> None:
    for name, clause in rules.clauses.items():
        english = {int(one) for pair in ENGLISH_ARTICLE.findall(clause.en) for one in pair if one}
        assert english == set().union(*_cited(clause.zh).values()), name


def test_nothing_unconfirmed_is_printed(rules: law.Law) -> None:
    templates = [path.read_text(encoding="utf-8") for path in Path("config/notices").glob("*.j2")]
    clauses = [text for clause in rules.clauses.values() for text in (clause.zh, clause.en)]
    kinds = [text for kind in rules.kinds.values() for text in (kind.zh, kind.en)]
    printed = "\n".join((*clauses, *kinds, *templates))
    assert [words for words in UNCONFIRMED if words in printed] == []


def test_a_disguise_cites_what_the_plain_offer_violates_and_more(rules: law.Law) -> None:
    plain = set(rules.kinds[Label.ECIG_OVERT].violates)
    assert "ecig_online_sale" in plain
    for label in (Label.DISGUISED_MEDICAL, Label.DISGUISED_DRINK, Label.DISGUISED_OTHER):
        assert plain < set(rules.kinds[label].violates)
    assert not {"ecig_online_sale", "ecig_is_tobacco"} & set(rules.kinds[Label.OTHER_TOBACCO].violates)


def test_no_clause_stands_there_uncited(rules: law.Law) -> None:
    assert set(rules.clauses) == set(rules._cited())


def test_the_law_lacks_no_kind_and_cites_nothing_unknown(tmp_path):
    rules = law.load(Path("config/law.yml"))
    assert set(rules.kinds) == set(Label) - {Label.BENIGN}
    assert all(clause.source for clause in rules.clauses.values())
    path = tmp_path / "law.yml"
    text = Path("config/law.yml").read_text(encoding="utf-8")
    for old, new, complaint in [
        ("violates: [retail_licence,", "violates: [retail_license,", "clauses lacks retail_license"),
        ("  other_tobacco:", "  benign:", "kinds lacks other_tobacco"),
        ("cooperation:", "co_operation:", "did you mean cooperation"),
    ]:
        path.write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(ConfigError, match=complaint):
            law.load(path)
