"""From the labelled corpus to the model: split, features, fit, calibration, threshold. Deterministic.

:mod:`classifiers.split` says which row is whose. Weights are fitted on ``train``, calibration and threshold
on ``dev``; only :mod:`classifiers.evaluation` reads ``test``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy import sparse
from scipy.special import logit

from classifiers import lexicon as lexicons
from classifiers import linear, pipeline, signals
from classifiers.judge import VIOLATIONS, Evidence, Model, strength
from classifiers.lexicon import Lexicon
from classifiers.linear import Floats
from classifiers.listing_text import lay_out
from classifiers.split import split_of
from classifiers.verdict import Label, ListingText

CORPUS = Path(__file__).with_name("corpus")
MODEL = Path(__file__).with_name("model")

PENALTY_SIGNAL = 1.0  # both chosen on dev: signals are few and meaningful, n-grams many and accidental
PENALTY_NGRAM = 0.05
UNMISTAKABLE = 2.0
PRIOR_BY_HINT = {"strong": UNMISTAKABLE, "medium": 0.8, "weak": 0.2}
MIN_ROWS = 2  # an n-gram of one listing tells that listing, not its kind
TITLE_WEIGHT = 0.5  # many platforms show a search result's title alone
WORD_WEIGHT = 0.5  # a lone word of the trade must do: many titles are no longer
FRAGMENT_WEIGHT = 0.1  # fragments of one listing are not independent
CANDIDATES = np.linspace(0.3, 0.95, 66)  # thresholds; all above WORDING_ALONE
MAX_FRAGMENT_FLAGS = 0.01  # of ordinary wording; half of it was collected because it looks suspicious


class Row(BaseModel):
    """One line of ``corpus/*.jsonl``: a listing and what a person said about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    lang: str
    platform: str
    title: str
    description: str
    attributes: dict[str, str]
    price: str
    shop: str
    label: Label
    evasion: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    near: str | None = None
    why: str

    @property
    def listing(self) -> ListingText:
        fields = {"id", "title", "description", "attributes", "price", "shop"}
        return ListingText(**self.model_dump(include=fields))


def rows(split: str | None = None, corpus: Path = CORPUS) -> list[Row]:
    """The rows of one split, or all, in the order of the files."""
    texts = (path.read_text("utf-8") for path in sorted(corpus.glob("*.jsonl")))
    found = [Row.model_validate_json(line) for text in texts for line in text.rstrip("\n").split("\n")]
    if not found:
        raise ValueError(f"{corpus}: no corpus: there is no labelled row here")
    return [row for row in found if split in (None, split_of(row.id))]


def fragments(benign: Iterable[Row]) -> Iterator[str]:
    """Ordinary wording in short: titles, shop names, attributes and clauses of lawful listings.

    They teach that a text without a suspicious signal is ordinary, however short and new its words are.
    """
    for row in benign:
        yield row.title
        yield row.shop
        yield from row.title.split()
        yield from (f"{name} {value}" for name, value in row.attributes.items())
        yield from re.split(r"[。；;！!\n]", row.description)


@dataclass(frozen=True)
class Columns:
    """Which column of the matrix a feature or a bucket has: features first."""

    features: tuple[str, ...]
    buckets: linear.Ints

    def matrix(self, batch: Sequence[Evidence]) -> sparse.csr_matrix:
        """(texts, columns): strength of each signal kind, then scaled counts of n-grams."""
        return sparse.hstack([self._signals(batch), self._ngrams(batch)], format="csr")

    def _signals(self, batch: Sequence[Evidence]) -> sparse.csr_matrix:
        column = {name: n for n, name in enumerate(self.features)}
        counted = (
            (row, column[name], strength(count))
            for row, evidence in enumerate(batch)
            for name, count in Counter(evidence.features).items()
            if name in column
        )
        at_row, at_column, value = zip(*counted, strict=True)
        return sparse.csr_matrix((value, (at_row, at_column)), shape=(len(batch), len(self.features)))

    def _ngrams(self, batch: Sequence[Evidence]) -> sparse.csr_matrix:
        grams = linear.ngrams([evidence.text for evidence in batch])
        column = np.searchsorted(self.buckets, grams.bucket)
        known = self.buckets[np.minimum(column, len(self.buckets) - 1)] == grams.bucket
        places = (grams.row[known], column[known])
        value = grams.scale[grams.row[known]]
        return sparse.csr_matrix((value, places), shape=(len(batch), len(self.buckets)))


def columns(batch: Sequence[Evidence], possible: Iterable[str]) -> Columns:
    """All ``possible`` features, those met in ``batch``, and every n-gram met in at least MIN_ROWS texts."""
    met = {name for evidence in batch for name in evidence.features}
    grams = linear.ngrams([evidence.text for evidence in batch])
    pairs = np.unique(grams.row << linear.BUCKET_BITS | grams.bucket)
    buckets, texts = np.unique(pairs & ((1 << linear.BUCKET_BITS) - 1), return_counts=True)
    return Columns(tuple(sorted(met | set(possible))), buckets[texts >= MIN_ROWS])


def prior(feature: str) -> float:
    """What a signal is believed to weigh before any data: the hint of the lexicon, as log-odds."""
    concept, _, hint = feature.partition("/")
    weight = PRIOR_BY_HINT.get(hint, 0.0)
    return -weight if concept.startswith("ordinary.") else weight


def limits(feature: str) -> tuple[float | None, float | None]:
    """A suspicious signal never speaks for a listing, and an ordinary one never against it."""
    theme = feature.partition(".")[0]
    if theme == "ordinary":
        return None, 0.0
    return (None, None) if theme in {"measure", "claim"} else (0.0, None)


def train(corpus: Path = CORPUS, lexicon_dir: Path = lexicons.DIRECTORY) -> Model:
    """Fit, calibrate and set the threshold. The same corpus and lexicon give the same model."""
    lexicon = lexicons.load(lexicon_dir)
    fitted, held = rows("train", corpus), rows("dev", corpus)
    listings = [evidence_of(row.listing, lexicon) for row in fitted]
    titles = [_evidence(row.title, lexicon) for row in fitted]
    short = [e for e in _short(fitted, lexicon) if not _unmistakable(e)]
    words = [e for e in _words(fitted, lexicon) if _unmistakable(e)]
    violating = [row.label is not Label.BENIGN for row in fitted]
    telling = [not bad or _suspicious(title) for bad, title in zip(violating, titles, strict=True)]
    everything = listings + titles + short + words
    y = np.array([*violating, *violating, *(False for _ in short), *(True for _ in words)], dtype=float)
    weight = np.array(
        [1.0] * len(fitted)
        + [TITLE_WEIGHT * t for t in telling]
        + [FRAGMENT_WEIGHT] * len(short)
        + [WORD_WEIGHT] * len(words)
    )
    possible = {f"{entry.concept}/{entry.weight_hint}" for entry in lexicon.entries}
    cols = columns(everything, possible)
    x = cols.matrix(everything)
    violation = _fit_violation(x, y, weight, cols)
    kinds = _fit_kinds(x[: len(listings)], fitted, cols)
    model = _assemble(cols, violation, kinds)
    return _with_threshold(_calibrated(model, held, lexicon), held, lexicon)


def evidence_of(listing: ListingText, lexicon: Lexicon) -> Evidence:
    return _evidence(lay_out(listing).text, lexicon)


def _evidence(text: str, lexicon: Lexicon) -> Evidence:
    found = signals.find(text, lexicon)
    return Evidence(found.norm.text, [signal.feature for signal in found.signals])


def _short(among: Iterable[Row], lexicon: Lexicon) -> list[Evidence]:
    benign = [row for row in among if row.label is Label.BENIGN]
    texts = dict.fromkeys(text.strip() for text in fragments(benign))
    return [_evidence(text, lexicon) for text in texts if text]


def _words(among: Iterable[Row], lexicon: Lexicon) -> list[Evidence]:
    bad = (row for row in among if row.label is not Label.BENIGN)
    return [_evidence(word, lexicon) for word in dict.fromkeys(w for row in bad for w in row.title.split())]


def _unmistakable(evidence: Evidence) -> bool:
    return any(prior(feature) >= UNMISTAKABLE for feature in evidence.features)


def _suspicious(evidence: Evidence) -> bool:
    return any(prior(feature) > 0 or feature == "measure.puffs" for feature in evidence.features)


def _penalty(cols: Columns) -> Floats:
    return np.array([PENALTY_SIGNAL] * len(cols.features) + [PENALTY_NGRAM] * len(cols.buckets))


def _fit_violation(x: sparse.csr_matrix, y: Floats, weight: Floats, cols: Columns) -> tuple[Floats, float]:
    believed = np.array([prior(name) for name in cols.features] + [0.0] * len(cols.buckets))
    bounds = [limits(name) for name in cols.features] + [(None, None)] * len(cols.buckets)
    return linear.fit_logistic(x, y, weight, _penalty(cols), believed, bounds)


def _fit_kinds(x: sparse.csr_matrix, fitted: Sequence[Row], cols: Columns) -> tuple[Floats, Floats]:
    at = [n for n, row in enumerate(fitted) if row.label is not Label.BENIGN]
    kind = np.array([VIOLATIONS.index(fitted[n].label) for n in at])
    return linear.fit_softmax(x[at], kind, len(VIOLATIONS), _penalty(cols))


def _assemble(cols: Columns, violation: tuple[Floats, float], kinds: tuple[Floats, Floats]) -> Model:
    weights = np.column_stack([violation[0], kinds[0]])
    count = len(cols.features)
    return Model(
        features=cols.features,
        feature_weights=weights[:count],
        buckets=cols.buckets,
        bucket_weights=weights[count:],
        intercept=np.append(violation[1], kinds[1]),
        threshold=0.5,
    )


def _calibrated(model: Model, held: Sequence[Row], lexicon: Lexicon) -> Model:
    """Platt scaling on held-out rows, folded into the weights, so that contributions stay log-odds."""
    judged = model.judge([evidence_of(row.listing, lexicon) for row in held])
    logits = logit([1 - judgement.scores[Label.BENIGN] for judgement in judged])
    y = np.array([row.label is not Label.BENIGN for row in held], dtype=float)
    slope, offset = linear.fit_platt(logits, y)
    scale = np.array([slope] + [1.0] * len(VIOLATIONS))
    shift = np.array([offset] + [0.0] * len(VIOLATIONS))
    return replace(
        model,
        feature_weights=model.feature_weights * scale,
        bucket_weights=model.bucket_weights * scale,
        intercept=model.intercept * scale + shift,
    )


def _with_threshold(model: Model, held: Sequence[Row], lexicon: Lexicon) -> Model:
    """The threshold of best F1 on held-out listings that flags hardly any of their ordinary fragments."""
    ordinary = np.array(_scores(model, _short(held, lexicon)))
    scores = np.array(_scores(model, [evidence_of(row.listing, lexicon) for row in held]))
    y = np.array([row.label is not Label.BENIGN for row in held])
    least = np.quantile(ordinary, 1 - MAX_FRAGMENT_FLAGS)
    candidates = [t for t in CANDIDATES if t > least]
    if not candidates:
        raise ValueError(
            f"more than {MAX_FRAGMENT_FLAGS:.1%} of ordinary wording scores above every threshold"
        )
    best = max(candidates, key=lambda t: (f1(scores >= t, y), t))
    return replace(model, threshold=round(float(best), 2))


def _scores(model: Model, batch: Sequence[Evidence]) -> list[float]:
    return [1 - judgement.scores[Label.BENIGN] for judgement in model.judge(batch)]


def f1(flagged: NDArray[np.bool_], y: NDArray[np.bool_]) -> float:
    return float(2 * (flagged & y).sum() / (flagged.sum() + y.sum()))


def save(model: Model, directory: Path = MODEL, lexicon_dir: Path | None = None) -> None:
    """Write the whole pipeline so that ``spacy.load(directory)`` reads it once this package is imported."""
    nlp = pipeline.blank(lexicon_dir)
    judge = cast(pipeline.Judge, nlp.get_pipe("vapewatch_judge"))
    judge.fitted = model
    nlp.meta |= {
        "name": "vapewatch",
        "version": "1",
        "license": "Apache-2.0",
        "operating_threshold": model.threshold,
    }
    nlp.to_disk(directory, exclude=["vocab"])  # every token is one character: there is no vocabulary to keep
