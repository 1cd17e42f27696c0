from __future__ import annotations

import json
import math
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import logit
from spacy import ty

import classifiers
from classifiers import labelled, pipeline, training
from classifiers.classifier import Classifier, classify_lines
from classifiers.evasion import TRICKS, evade
from classifiers.judge import Evidence
from classifiers.pipeline import Judge
from classifiers.verdict import Label, ListingText, Verdict
from classifiers.yamlfile import ConfigError

TEXT = st.text(
    st.one_of(st.characters(exclude_categories=()), st.sampled_from("电子烟火因*·\u200b🍉口8000ml加v")),
    max_size=80,
)
LISTINGS = st.builds(
    ListingText,
    id=st.just("x"),
    title=TEXT,
    description=TEXT,
    shop=st.none() | TEXT,
    price=st.none() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    attributes=st.dictionaries(TEXT, TEXT, max_size=3),
)


def one(classifier: Classifier, title: str, **fields: object) -> Verdict:
    (verdict,) = classifier.classify_many([ListingText.model_validate({"id": "1", "title": title} | fields)])
    return verdict


def field_of(listing: ListingText, name: str) -> str:
    if name.startswith("attributes."):
        name = name.removeprefix("attributes.")
        return listing.attributes[name] or name
    value = getattr(listing, name)
    return "" if value is None else str(value)


def assert_spans_are_the_sellers_own_words(listing: ListingText, verdict: Verdict) -> None:
    for mark in (*verdict.signals, *verdict.claims):
        assert mark.text == field_of(listing, mark.field)[mark.start : mark.end]
        assert mark.text


@pytest.mark.parametrize(
    "title",
    [
        "医用加热雾化器 便携一次性 冰镇西瓜味 0尼古丁 8000口",
        "本草雾化棒 清肺润喉 龙井/茉莉/白桃 三支装 充电款",
        "植物饮料浓缩液 10ml 一盒三颗 五代通配",
        "维C能量棒 提神解压 薄荷味 吸即出雾 Type-C",
        "戒烟神器替烟棒 0焦油 多口味可选 口感顺滑击喉",
        "电孑火因 换dan套装 一杆三弹 加薇看主页",
        "dzy小烟 通配四五代 3% 烟dan 懂的来",
        "悦 刻 同款 主机 单杆 磁吸 350mAh 气流感应",
        "Disposable vape 5000 puffs 50mg mesh coil blue razz ice",
        "空管烟 自动卷烟器 茶香烟丝 0尼",
        "vα.pe pod k1t 一代通用 零尼 可注油",
        "褪黑素助眠雾化笔 6口入睡 不含尼古丁",
        "电\u200b子\u200b烟",
    ],
)
def test_a_disguise_is_flagged(classifier: Classifier, title: str) -> None:
    verdict = one(classifier, title)
    assert verdict.flagged
    assert verdict.label is not Label.BENIGN


@pytest.mark.parametrize(
    "title",
    [
        "鱼跃压缩式雾化器 403M 儿童家用医用雾化机 苏械注准20182080123 雾化率≥0.2ml/min",
        "欧姆龙网式雾化器 手持静音 便携充电 哮喘支气管炎 成人儿童面罩",
        "一次性使用雾化面罩套装 医用 成人/儿童 管路2m",
        "吸入用布地奈德混悬液 2ml:1mg*5支 处方药",
        "王老吉 凉茶植物饮料 310ml*24罐 整箱",
        "桌面加湿器 大雾量 静音 充电 500ml",
        "车载香薰机 精油 10ml 3瓶 薰衣草/柑橘 香型",
        "纳米补水喷雾仪 便携冷喷 蒸脸 40ml",
        "尼古丁贴 14mg 7片 戒烟 国药准字",
        "电子烟探测器 学校厕所 吸烟报警 尼古丁检测",
        "舞台烟雾机 400W 大烟雾 遥控",
        "咖啡胶囊 兼容N家 10颗 意式浓缩",
        "碳纤维鱼竿 五代通用竿梢 手竿",
        "3%高渗盐水 雾化用 生理盐水 2.5ml*30支",
        "蓝牙耳机 无线",
        "",
    ],
)
def test_a_lawful_look_alike_is_left_alone(classifier: Classifier, title: str) -> None:
    verdict = one(classifier, title)
    assert not verdict.flagged
    assert verdict.label is Label.BENIGN


def test_every_field_counts(classifier: Classifier) -> None:
    bare = one(classifier, "便携雾化棒子").score
    more = one(
        classifier,
        "便携雾化棒子",
        description="加薇看主页，懂的来",
        attributes={"口数": "8000口", "口味": "冰西瓜"},
        shop="悦刻烟弹专卖",
    )
    assert more.score > bare
    assert {signal.field for signal in more.signals} >= {"title", "description", "attributes.口数", "shop"}


def test_signals_name_kind_reason_and_the_sellers_own_words(classifier: Classifier) -> None:
    verdict = one(classifier, "电*子 火因 8000口 加薇 学生党 补差价专拍 SC10633010800083")
    kinds = {signal.kind for signal in verdict.signals}
    assert kinds >= {"lexicon", "measure", "evasion", "contact", "minors", "claim", "price"}
    hidden = next(signal for signal in verdict.signals if signal.concept == "evasion.split_char")
    assert (hidden.text, hidden.why) == ("电*子 火因", "read_as:电子烟")
    (claim,) = verdict.claims
    assert (claim.kind, claim.status, claim.text) == ("food_licence", "inconsistent", "SC10633010800083")
    assert "SC1" in claim.reasons


def test_contributions_add_up_to_the_score(classifier: Classifier) -> None:
    judge = cast(Judge, classifier.nlp.get_pipe("vapewatch_judge"))
    base = judge.fitted.intercept[0]
    for title in ("悦刻五代烟弹 西瓜味", "鱼跃压缩式雾化器 雾化面罩", "植物饮料浓缩液 10ml 五代通配"):
        verdict = one(classifier, title)
        total = base + sum(signal.contribution for signal in verdict.signals)
        assert total == pytest.approx(logit(verdict.score), abs=0.06)  # shares below 0.05 carry no signal


def test_the_scores_are_probabilities_that_sum_to_one(classifier: Classifier) -> None:
    verdict = one(classifier, "医用雾化棒 西瓜味")
    assert set(verdict.scores) == set(Label)
    assert sum(verdict.scores.values()) == pytest.approx(1)
    assert verdict.score == pytest.approx(1 - verdict.scores[Label.BENIGN])


def test_whatever_is_flagged_shows_a_reason_in_the_sellers_own_words(classifier: Classifier) -> None:
    listings = [row.listing for row in labelled.rows("test")]
    evaded = [evade(listing, listing.title.split(), kind) for kind in TRICKS for listing in listings[::10]]
    for verdict in classifier.classify_many([*listings, *evaded]):
        assert not verdict.flagged or any(signal.contribution > 0 for signal in verdict.signals)


def test_a_page_of_harmless_words_does_not_hide_an_offer(classifier: Classifier) -> None:
    violating = [row for row in labelled.rows("test") if row.violating][:300]
    ordinary = " ".join(row.title for row in labelled.rows("train") if row.platform == labelled.CATALOGUE)
    found = [verdict.flagged for verdict in classifier.classify_many(row.listing for row in violating)]
    stuffed = [
        row.listing.model_copy(
            update={"description": f"{row.description} {ordinary[n * 50 : n * 50 + 1000]}"}
        )
        for n, row in enumerate(violating)
    ]
    still = [verdict.flagged for verdict in classifier.classify_many(stuffed)]
    assert sum(still) >= 0.7 * sum(found)  # judged as a whole only, one in thirty


def test_a_window_that_decides_gives_its_own_reasons_only(classifier: Classifier) -> None:
    filler = "纯棉四件套，亲肤透气，支持七天无理由退换，下单后四十八小时内发货。" * 40
    verdict = next(
        classifier.classify_many(
            [ListingText(id="1", title="一次性电子烟 西瓜味 5000口", description=filler)]
        )
    )
    assert verdict.flagged
    assert {signal.field for signal in verdict.signals if signal.contribution} == {"title"}


def test_a_name_without_a_value_is_marked_at_the_name(classifier: Classifier) -> None:
    verdict = one(classifier, "摆件", attributes={"悦刻通配烟弹 5000口 一次性电子烟": ""})
    assert verdict.flagged
    assert {s.text for s in verdict.signals} >= {"一次性电子烟", "5000口"}


def test_wording_without_a_suspicious_signal_weighs_less(classifier: Classifier) -> None:
    judge = cast(Judge, classifier.nlp.get_pipe("vapewatch_judge")).fitted
    free = replace(judge, wording_alone=0.0)
    text = [Evidence("今天天气很好", [], [])]
    (bound,), (unbound,) = judge.judge(text), free.judge(text)
    assert unbound.log_odds - bound.log_odds == pytest.approx(judge.wording_alone)
    assert judge.wording_alone > 0


def test_another_base_rate_changes_probabilities_but_no_decision(classifier: Classifier) -> None:
    judge = cast(Judge, classifier.nlp.get_pipe("vapewatch_judge")).fitted
    rare = judge.at_base_rate(0.0002)
    evidence = [pipeline.evidence(classifier.nlp(row.title)) for row in labelled.rows("test")[:100]]
    for usual, scarce in zip(judge.judge(evidence), rare.judge(evidence), strict=True):
        assert scarce.log_odds < usual.log_odds
        flags = [1 - one.scores[Label.BENIGN] >= model.threshold
                 for one, model in ((usual, judge), (scarce, rare))]  # fmt: skip
        assert flags[0] == flags[1]


def test_every_mark_in_the_whole_corpus_is_the_sellers_own_words(classifier: Classifier) -> None:
    listings = [row.listing for row in labelled.rows()]
    for listing, verdict in zip(listings, classifier.classify_many(listings), strict=True):
        assert_spans_are_the_sellers_own_words(listing, verdict)


@given(st.lists(LISTINGS, max_size=3))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_hostile_text_gives_a_verdict_with_true_marks(
    classifier: Classifier, listings: list[ListingText]
) -> None:
    verdicts = list(classifier.classify_many(listings))
    assert len(verdicts) == len(listings)
    for listing, verdict in zip(listings, verdicts, strict=True):
        assert 0 <= verdict.score <= 1
        assert math.isfinite(sum(signal.contribution for signal in verdict.signals))
        assert_spans_are_the_sellers_own_words(listing, verdict)


@pytest.mark.parametrize(
    "unit", ["电*子烟 ", "火因", "8000口", "加v", "SC1", "粤械注准2021", "\u202e", "\ud800", " ", "ﷺ"]
)
def test_a_title_of_a_megabyte_is_judged_at_once_and_said_to_be_cut(
    classifier: Classifier, unit: str
) -> None:
    title = unit * (1_000_000 // len(unit))
    start = time.process_time()
    verdict = one(classifier, title)
    assert time.process_time() - start < 5
    assert "evasion.overlong" in {signal.concept for signal in verdict.signals}
    assert len(verdict.signals) < 500
    assert_spans_are_the_sellers_own_words(ListingText(id="1", title=title), verdict)


def test_of_very_long_listings_few_are_held_at_once(classifier: Classifier) -> None:
    taken = iter(range(100))
    long = "家用水壶 " * 10_000
    verdicts = classifier.classify_many(
        ListingText(id=str(n), title=long, description=long, shop=long) for n in taken
    )
    assert next(verdicts).id == "0"
    assert next(taken) < 10


def test_the_company_of_other_listings_changes_no_verdict(classifier: Classifier) -> None:
    listings = [row.listing for row in labelled.rows("test")[:40]]
    together = list(classifier.classify_many(listings))
    for listing, verdict in zip(listings, together, strict=True):
        (alone,) = classifier.classify_many([listing])
        assert alone.score == pytest.approx(verdict.score, abs=1e-9)
        assert alone.label is verdict.label


def test_the_shipped_model_loads_through_spacy_itself() -> None:
    nlp = spacy.load(training.MODEL)
    assert nlp.pipe_names == ["vapewatch_signals", "vapewatch_judge"]
    doc = nlp("医用雾化棒 8000口")
    assert {span.label_ for span in doc.spans["signals"]} >= {"cover.medical", "measure.puffs"}
    assert doc.cats["benign"] < 0.5


def test_an_operators_lexicon_takes_effect_without_training(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(
        'entries:\n  - {id: new, concept: product.ecig, term: "蓝色小魔杖", weight_hint: strong}\n', "utf-8"
    )
    own = classifiers.load(tmp_path)
    assert own.lexicon_version != classifiers.load().lexicon_version
    assert "product.ecig" in {signal.concept for signal in one(own, "蓝色小魔杖 现货").signals}


def test_a_broken_lexicon_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text("entries: [{id: a}]\n")
    with pytest.raises(ConfigError, match=r"own\.yml:1:11: entries\.0\.concept: this key is required"):
        classifiers.load(tmp_path)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("", {"error": "empty line"}),
        ("   \n", {"error": "empty line"}),
        ("{", None),
        ("[" * 100_000, None),
        ("[]", None),
        ('{"title": "x"}', {"error": "id: Field required"}),
        ('{"id": "7"}', {"id": "7", "error": "title: Field required"}),
        ('{"id": "7", "title": 5}', {"id": "7", "error": "title: Input should be a valid string"}),
        (
            '{"id": "7", "title": "x", "titel": "y"}',
            {"id": "7", "error": "titel: Extra inputs are not permitted"},
        ),
        ('{"id": "", "title": "x"}', None),
        ('{"id": "a", "title": "x", "price": NaN}', None),
    ],
)
def test_a_bad_line_is_answered_on_its_place(
    classifier: Classifier, line: str, answer: dict[str, str] | None
) -> None:
    ((out, good),) = classify_lines([line], classifier)
    assert not good
    assert "error" in json.loads(out)
    assert answer in (None, json.loads(out))


def test_ten_thousand_good_and_bad_lines_keep_order_and_count(classifier: Classifier) -> None:
    choose = random.Random(0)
    titles = ["桌面加湿器 500ml", "悦刻五代烟弹 西瓜味", "棉麻连衣裙", "a\ud800b", "\u202e电子烟"]
    bad = ["", "not json", '{"id": "b"}', "\x00", '{"id": 3, "title": "x"}', "[1]"]
    lines, good = [], []
    for number in range(10_000):
        good.append(choose.random() < 0.7)
        record = json.dumps({"id": str(number), "title": choose.choice(titles)})
        lines.append(record if good[-1] else choose.choice(bad))
    answers = list(classify_lines(lines, classifier))
    assert [ok for _, ok in answers] == good
    for number, (out, ok) in enumerate(answers):
        answer = json.loads(out)
        assert "\n" not in out
        assert answer["id"] == str(number) if ok else "error" in answer


def test_lines_are_answered_before_the_stream_ends(classifier: Classifier) -> None:
    def endless() -> object:
        while True:
            yield '{"id": "1", "title": "x"}'

    assert next(classify_lines(endless(), classifier))[1]  # type: ignore[arg-type]


def test_a_judge_still_without_its_model_answers_what_spacy_asks_of_every_component() -> None:
    assert not isinstance(Judge(), ty.ListenedToComponent)
    assert not hasattr(Judge(), "model")
