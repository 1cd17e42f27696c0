"""From the labelled corpus to the model: features, fit, calibration, threshold. Deterministic.

Weights are fitted on the ``train`` split (:mod:`classifiers.labelled`). Calibration and threshold
come from scores that each row got from a model fitted without its fold; only :mod:`classifiers.evaluation`
reads the other splits.
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
from scipy import sparse
from scipy.special import expit, logit

from classifiers import labelled, linear, pipeline, signals
from classifiers import lexicon as lexicons
from classifiers.evasion import TRICKS, evade
from classifiers.judge import VIOLATIONS, Evidence, Model, strength, windows_of
from classifiers.labelled import CATALOGUE, CORPUS, Row
from classifiers.lexicon import Lexicon
from classifiers.linear import Floats, Ints
from classifiers.listing_text import lay_out
from classifiers.normalize import normalize
from classifiers.verdict import ListingText
from classifiers.windows import SIZE

MODEL = Path(__file__).with_name("model")

FOLDS = 5
PENALTY_SIGNAL = 1.0  # signals are few and meaningful, n-grams many and accidental; both chosen by folds
PENALTY_NGRAM = 0.02
UNMISTAKABLE = 2.0
PRIOR_BY_HINT = {"strong": UNMISTAKABLE, "medium": 0.8, "weak": 0.2}
MIN_ROWS = 2  # an n-gram of one listing tells that listing, not its kind
TITLE_WEIGHT = 0.5  # many platforms show a search result's title alone
WINDOW_WEIGHT = 0.3  # a page has several
WORD_WEIGHT = 0.5  # a lone word of the trade must do: many titles are no longer
FRAGMENT_WEIGHT = 0.1  # fragments of one listing are not independent
HARD_TRICKS = ("homophone", "pinyin", "reversal")  # the ones that leave least of a word: played more often
EVADED_WEIGHT = 0.5  # a listing with a trick played on it is not independent of itself
CANDIDATES = np.linspace(0.3, 0.95, 66)  # thresholds
MAX_CATALOGUE_FLAGS = 0.005  # of ordinary titles, many of them chosen because they look dangerous


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


def train(corpus: Path = CORPUS, lexicon_dir: Path = lexicons.DIRECTORY, extra: Sequence[Row] = ()) -> Model:
    """Fit, calibrate, set the threshold. The same corpus, ``extra`` rows and lexicon give the same model."""
    lexicon = lexicons.load(lexicon_dir)
    fitted = [*labelled.rows("train", corpus), *extra]
    point = operating_point(fitted, out_of_fold(fitted, lexicon))
    model = fit(fitted, lexicon).scaled(point.slope, point.offset)
    return replace(model, threshold=point.threshold, base_rate=point.base_rate)


def folds_of(rows: Sequence[Row]) -> Ints:
    """(rows,) which fold each row is in; rows of one block share it."""
    return np.array([int(labelled.share(f"fold {row.block}") * FOLDS) for row in rows])


def out_of_fold(rows: Sequence[Row], lexicon: Lexicon) -> Floats:
    """(rows,) log-odds that each row gets from a model fitted on the other folds; not calibrated."""
    fold, found = folds_of(rows), np.zeros(len(rows))
    for k in np.unique(fold):
        found[fold == k] = without(rows, fold == k, lexicon)
    return found


def without(rows: Sequence[Row], held: NDArray[np.bool_], lexicon: Lexicon) -> Floats:
    """Log-odds of the rows under the mask ``held`` by a model fitted on all others."""
    learnt = [row for row, here in zip(rows, held, strict=True) if not here]
    model = fit(learnt, lexicon, kinds=False)
    unseen = [evidence_of(row.listing, lexicon) for row, here in zip(rows, held, strict=True) if here]
    return model.log_odds(unseen)


def fit(
    fitted: Sequence[Row], lexicon: Lexicon, *, tricks: Sequence[str] = tuple(TRICKS), kinds: bool = True
) -> Model:
    """The weights, neither calibrated nor with a threshold of their own.

    One of ``tricks`` is played on each listing, and a hard one, and the results learnt as well. Without
    ``kinds`` all kinds of violation are equally likely, and it takes a third of the time.
    """
    listings = [evidence_of(row.listing, lexicon) for row in fitted]
    more = [
        *_titles(fitted, lexicon),
        *_windows(fitted, listings),
        *_short(fitted, lexicon),
        *_words(fitted, lexicon),
        *_evaded(fitted, lexicon, tricks),
    ]
    everything = listings + [example.evidence for example in more]
    y = np.array([row.violating for row in fitted] + [example.violating for example in more], dtype=float)
    weight = np.array([1.0] * len(fitted) + [example.weight for example in more])
    possible = {feature for entry in lexicon.entries for feature in signals.features_of(entry)}
    cols = columns(everything, possible)
    x = cols.matrix(everything)
    violation = _fit_violation(x, y, weight, cols)
    of_kinds = _fit_kinds(x[: len(listings)], fitted, cols) if kinds else _no_kinds(x.shape[1])
    return _assemble(cols, violation, of_kinds)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """``slope * log-odds + offset`` is calibrated where ``base_rate`` violate; ``threshold`` flags."""

    slope: float
    offset: float
    base_rate: float
    threshold: float

    @property
    def log_odds(self) -> float:
        """The threshold as log-odds that are not calibrated."""
        return (float(logit(self.threshold)) - self.offset) / self.slope


def operating_point(rows: Sequence[Row], log_odds: Floats) -> OperatingPoint:
    """Calibration and threshold by log-odds (rows,) that came from models that had not seen the row.

    Bare titles of the catalogue only bound the false flags: with them a score would promise too much for
    listings that look suspicious, which are the ones that people are shown.
    """
    y = np.array([row.violating for row in rows])
    ordinary = np.array([row.platform == CATALOGUE for row in rows])
    slope, offset = linear.fit_platt(log_odds[~ordinary], y[~ordinary].astype(float))
    scores = expit(slope * log_odds + offset)
    threshold = _threshold(scores[~ordinary], y[~ordinary], scores[ordinary])
    return OperatingPoint(slope, offset, float(y[~ordinary].mean()), threshold)


def _threshold(scores: Floats, y: NDArray[np.bool_], ordinary: Floats) -> float:
    """The one of best F1 among those that flag hardly any ordinary title."""
    allowed = [t for t in CANDIDATES if (ordinary >= t).sum() <= MAX_CATALOGUE_FLAGS * len(ordinary)]
    if not allowed:
        raise ValueError(f"over {MAX_CATALOGUE_FLAGS:.1%} of ordinary titles score above every threshold")
    return round(float(max(allowed, key=lambda t: (_f1(scores >= t, y), t))), 2)


@dataclass(frozen=True, slots=True)
class _Example:
    """Something made from a row that is learnt beside it."""

    evidence: Evidence
    violating: bool
    weight: float


def evidence_of(listing: ListingText, lexicon: Lexicon) -> Evidence:
    return _evidence(lay_out(listing).text, lexicon)


def _evidence(text: str, lexicon: Lexicon) -> Evidence:
    return signals.find(text, lexicon).evidence


def _titles(rows: Iterable[Row], lexicon: Lexicon) -> Iterator[_Example]:
    """Titles of listings that say more than their title; of violations only those that tell by themselves."""
    for row in rows:
        if row.description or row.attributes:
            evidence = _evidence(row.title, lexicon)
            if not row.violating or _suspicious(evidence):
                yield _Example(evidence, row.violating, TITLE_WEIGHT)


def _windows(rows: Iterable[Row], listings: Iterable[Evidence]) -> Iterator[_Example]:
    """What long listings say behind their title; of violations only what tells by itself."""
    for row, listing in zip(rows, listings, strict=True):
        for window in windows_of(listing)[1:] if len(listing.text) > SIZE else ():
            if not row.violating or _unmistakable(window):
                yield _Example(window, row.violating, WINDOW_WEIGHT)


def _short(rows: Iterable[Row], lexicon: Lexicon) -> Iterator[_Example]:
    lawful = [row for row in rows if not row.violating and row.platform != CATALOGUE]
    for text in dict.fromkeys(text.strip() for text in fragments(lawful)):
        evidence = _evidence(text, lexicon)
        if text and not _unmistakable(evidence):
            yield _Example(evidence, False, FRAGMENT_WEIGHT)


def _words(rows: Iterable[Row], lexicon: Lexicon) -> Iterator[_Example]:
    for word in dict.fromkeys(word for row in rows if row.violating for word in row.title.split()):
        evidence = _evidence(word, lexicon)
        if _unmistakable(evidence):
            yield _Example(evidence, True, WORD_WEIGHT)


def _evaded(rows: Iterable[Row], lexicon: Lexicon, tricks: Sequence[str]) -> Iterator[_Example]:
    """Listings with a trick played on their telling words; lawful ones too, for odd spelling is no proof."""
    for row in rows if tricks else ():
        if row.platform != CATALOGUE:
            for kind in dict.fromkeys(_drawn(row, kinds) for kinds in (tricks, HARD_TRICKS)):
                changed = evade(row.listing, _telling(row, lexicon), kind)
                if changed != row.listing:
                    yield _Example(evidence_of(changed, lexicon), row.violating, EVADED_WEIGHT)


def _drawn(row: Row, kinds: Sequence[str]) -> str:
    return kinds[int(labelled.share(f"trick {row.id}") * len(kinds))]


def _telling(row: Row, lexicon: Lexicon) -> list[str]:
    """The words that the writer noted, else those of the title that the lexicon knows, else every other."""
    norm = normalize(row.title)
    hits = (norm.original_span(hit.start, hit.end) for hit in lexicon.find(norm))
    return list(row.signals) or [row.title[a:b] for a, b in hits] or row.title.split()[::2]


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
    at = [n for n, row in enumerate(fitted) if row.violating]
    kind = np.array([VIOLATIONS.index(fitted[n].label) for n in at])
    # What no violating row holds would get the weight 0, after half of the work.
    met = np.unique(x[at].indices)
    weights = np.zeros((x.shape[1], len(VIOLATIONS)))
    weights[met], intercepts = linear.fit_softmax(x[at][:, met], kind, len(VIOLATIONS), _penalty(cols)[met])
    return weights, intercepts


def _no_kinds(size: int) -> tuple[Floats, Floats]:
    return np.zeros((size, len(VIOLATIONS))), np.zeros(len(VIOLATIONS))


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
        base_rate=0.5,
    )


def _f1(flagged: NDArray[np.bool_], y: NDArray[np.bool_]) -> float:
    return float(2 * (flagged & y).sum() / (flagged.sum() + y.sum()))


def save(model: Model, directory: Path = MODEL, lexicon_dir: Path | None = None) -> None:
    """Write the whole pipeline so that ``spacy.load(directory)`` reads it once this package is imported."""
    nlp = pipeline.blank(lexicon_dir)
    judge = cast(pipeline.Judge, nlp.get_pipe("vapewatch_judge"))
    judge.fitted = model
    nlp.meta |= {"name": "vapewatch", "version": "2", "license": "Apache-2.0"}
    nlp.to_disk(directory, exclude=["vocab"])  # every token is one character: there is no vocabulary to keep
