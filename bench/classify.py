"""Detection against its peers, trained and tested on the same split in one run: F1 and time per listing.

    python bench/classify.py

Peers: a list of eleven keywords; scikit-learn TF-IDF of character 1- to 4-grams with a linear SVM. Set
OMP_NUM_THREADS=1 for figures of one core. Times are the best of three passes over the held-out listings, with
the full explained verdict on our side and the bare label on theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import classifiers
from classifiers import training
from classifiers.listing_text import lay_out
from classifiers.training import Row
from classifiers.verdict import Label

KEYWORDS = ("电子烟", "烟弹", "烟液", "雾化弹", "悦刻", "蒸汽烟", "電子煙", "電子菸", "菸彈", "煙彈", "relx")
PASSES = 3
Flags = NDArray[np.bool_]


def best_of(judge: Callable[[], Sequence[bool] | Flags], listings: int) -> tuple[Flags, float]:
    """What ``judge`` says, and its µs per listing in the best of PASSES passes."""
    seconds = []
    for _ in range(PASSES):
        start = time.perf_counter()
        flags = judge()
        seconds.append(time.perf_counter() - start)
    return np.array(flags, dtype=bool), min(seconds) / listings * 1e6


def text_of(row: Row) -> str:
    return lay_out(row.listing).text


def main() -> None:
    fitted, test = training.rows("train"), training.rows("test")
    y_fitted = [row.label is not Label.BENIGN for row in fitted]
    y = np.array([row.label is not Label.BENIGN for row in test])
    texts, listings = [text_of(row) for row in test], [row.listing for row in test]
    svm = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 4)), LinearSVC())
    svm.fit([text_of(row) for row in fitted], y_fitted)
    classifier = classifiers.load()
    judges: dict[str, Callable[[], Sequence[bool] | Flags]] = {
        "vapewatch": lambda: [verdict.flagged for verdict in classifier.classify_many(listings)],
        "11 keywords": lambda: [any(word in text.lower() for word in KEYWORDS) for text in texts],
        "TF-IDF char 1-4 + SVM": lambda: svm.predict(texts),
    }
    results = {name: best_of(judge, len(test)) for name, judge in judges.items()}
    _print(results, y)


def _print(results: dict[str, tuple[Flags, float]], y: Flags) -> None:
    our_flags, our_time = results["vapewatch"]
    ours = training.f1(our_flags, y)
    print(f"{len(y)} held-out listings, {int(y.sum())} violating")
    print(f"{'':24}{'F1':>7}{'precision':>11}{'recall':>8}{'µs':>8}{'our F1 -':>10}{'our speed ×':>13}")
    for name, (flags, micros) in results.items():
        hits = (flags & y).sum()
        precision, recall, f1 = hits / flags.sum(), hits / y.sum(), training.f1(flags, y)
        figures = f"{f1:7.3f}{precision:11.3f}{recall:8.3f}{micros:8.0f}"
        print(f"{name:24}{figures}{ours - f1:+10.3f}{micros / our_time:13.2f}")


if __name__ == "__main__":
    main()
