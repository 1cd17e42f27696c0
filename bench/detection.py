"""Detection against its peers, trained and tested on the same rows in one run.

    python bench/detection.py [--ordinary FILE] [--slow]

Peers: a list of eleven keywords; scikit-learn TF-IDF of character 1- to 4-grams with a linear SVM; fastText,
where it is installed; spaCy's own text categoriser, bag of words, and with ``--slow`` its ensemble, which
takes a quarter of an hour to train. All learn from the training split as laid out for our own pipeline and
are tested on the held-out rows and on those of the blind writer, as they are and, where the writer noted the
telling words, with each trick of ``classifiers/evasion.py`` played on those. ``FILE`` holds JSON Lines with a
``text`` each, ordinary goods only: the share of them that is flagged is printed too.
Set OMP_NUM_THREADS=1 for figures of one core.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import spacy
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from spacy.training import Example

import classifiers
from classifiers import labelled
from classifiers.evaluation import evaded, telling_words
from classifiers.evasion import TRICKS
from classifiers.labelled import Row
from classifiers.listing_text import lay_out
from classifiers.pipeline import CodePointTokenizer
from classifiers.verdict import ListingText

KEYWORDS = ("电子烟", "烟弹", "烟液", "雾化弹", "悦刻", "蒸汽烟", "電子煙", "電子菸", "菸彈", "煙彈", "relx")
EPOCHS = 8
Flags = NDArray[np.bool_]
TextJudge = Callable[[Sequence[str]], Sequence[bool] | Flags]
Judge = Callable[[Sequence[ListingText]], Sequence[bool] | Flags]


def keyword_list(texts: Sequence[str]) -> list[bool]:
    return [any(word in text.lower() for word in KEYWORDS) for text in texts]


def linear_svm(texts: Sequence[str], y: Sequence[bool]) -> TextJudge:
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 4)), LinearSVC())
    model.fit(texts, y)
    return lambda unseen: np.array(model.predict(list(unseen)), dtype=bool)


def fast_text(texts: Sequence[str], y: Sequence[bool]) -> TextJudge | None:
    try:
        import fasttext
    except ImportError:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.writelines(f"__label__{bad:d} {spaced(text)}\n" for text, bad in zip(texts, y, strict=True))
        file.flush()
        model = fasttext.train_supervised(file.name, epoch=25, lr=0.5, wordNgrams=4, thread=1, verbose=0)
    # predict(str) of the wheel does not work with NumPy 2; its inner method does.
    return lambda unseen: [
        model.f.predict(spaced(t) + "\n", 1, 0.0, "strict")[0][1].endswith("1") for t in unseen
    ]


def spaced(text: str) -> str:
    """One token for each character, as fastText splits at blanks."""
    return " ".join(text.replace("\n", " "))


def spacy_textcat(config: dict[str, object], texts: Sequence[str], y: Sequence[bool]) -> TextJudge:
    nlp = spacy.blank("xx")
    nlp.tokenizer = CodePointTokenizer(nlp.vocab)
    nlp.add_pipe("textcat", config={"model": config})
    cats = [{"BAD": float(bad), "GOOD": float(not bad)} for bad in y]
    examples = [Example.from_dict(nlp.make_doc(t), {"cats": c}) for t, c in zip(texts, cats, strict=True)]
    optimizer = nlp.initialize(lambda: examples)
    shuffle = random.Random(0)
    for _ in range(EPOCHS):
        shuffle.shuffle(examples)
        for batch in spacy.util.minibatch(examples, 64):
            nlp.update(batch, sgd=optimizer)
    return lambda unseen: [doc.cats["BAD"] > 0.5 for doc in nlp.pipe(unseen)]


BOW = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "ngram_size": 4,
    "no_output_layer": False,
}
ENSEMBLE = {
    "@architectures": "spacy.TextCatEnsemble.v2",
    "linear_model": BOW,
    "tok2vec": {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None, "width": 96, "depth": 4, "embed_size": 2000, "window_size": 1,
        "maxout_pieces": 3, "subword_features": True,
    },
}  # fmt: skip


def text_of(listing: ListingText) -> str:
    return lay_out(listing).text


def figures(flags: Flags, y: Flags) -> tuple[float, float, float]:
    hits = (flags & y).sum()
    return 2 * hits / (flags.sum() + y.sum()), hits / max(flags.sum(), 1), hits / y.sum()


def peers(fitted: Sequence[Row], *, slow: bool) -> dict[str, Judge]:
    texts, y = [text_of(row.listing) for row in fitted], [row.violating for row in fitted]
    found: dict[str, TextJudge | None] = {
        "keyword list": keyword_list,
        "TF-IDF 1-4 + SVM": linear_svm(texts, y),
        "fastText": fast_text(texts, y),
        "spaCy BOW": spacy_textcat(BOW, texts, y),
        "spaCy ensemble": spacy_textcat(ENSEMBLE, texts, y) if slow else None,
    }
    return {name: partial(of_listings, judge) for name, judge in found.items() if judge}


def of_listings(judge: TextJudge, listings: Sequence[ListingText]) -> Sequence[bool] | Flags:
    return judge([text_of(listing) for listing in listings])


def main() -> None:
    parser = argparse.ArgumentParser(description="Detection against its peers.")
    parser.add_argument("--ordinary", type=Path)
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    classifier = classifiers.load()
    judges: dict[str, Judge] = {
        "vapewatch": lambda listings: [verdict.flagged for verdict in classifier.classify_many(listings)],
        **peers(labelled.rows("train"), slow=options.slow),
    }
    for split in ("test", "blind"):
        rows = [row for row in labelled.rows(split) if row.platform != labelled.CATALOGUE]
        compare(split, rows, judges)
    if options.ordinary:
        lines = options.ordinary.read_text("utf-8").splitlines()
        listings = [ListingText(id="x", title=json.loads(line)["text"]) for line in lines]
        for name, judge in judges.items():
            flagged = int(np.sum(judge(listings)))
            print(f"{name:20}{flagged:6} of {len(lines)} ordinary texts flagged ({flagged / len(lines):.3%})")


def compare(split: str, rows: Sequence[Row], judges: dict[str, Judge]) -> None:
    noted = [row for row in rows if row.signals or not row.violating]
    tricked = [row for kind in TRICKS for row in evaded(noted, telling_words, kind)]
    print(f"\n{split}: {len(rows)} listings; evaded: {len(TRICKS)} tricks on {len(noted)} of them")
    print(f"{'':20}{'F1':>7}{'prec.':>7}{'recall':>8}{'F1 evaded':>11}")
    for name, judge in judges.items():
        clean = figures_of(judge, rows)
        under = f"{figures_of(judge, tricked)[0]:11.3f}" if any(row.signals for row in rows) else ""
        print(f"{name:20}{clean[0]:7.3f}{clean[1]:7.3f}{clean[2]:8.3f}{under}", flush=True)


def figures_of(judge: Judge, rows: Sequence[Row]) -> tuple[float, float, float]:
    flags = np.array(judge([row.listing for row in rows]), dtype=bool)
    return figures(flags, np.array([row.violating for row in rows]))


if __name__ == "__main__":
    main()
