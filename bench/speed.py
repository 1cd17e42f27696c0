"""Time per listing beside the peers, on the same work in the same run; ratios are what counts.

    python bench/speed.py

A catalogue of 120-character texts, one in a hundred violating, put together from rows of the corpus that
the model has not learnt from, one after the other until 120 characters are full. Peers are trained on the
training split: scikit-learn TF-IDF of character 1- to 4-grams with a linear SVM; spaCy's bag-of-words text
categoriser with a PhraseMatcher of 5,000 terms. Ours: ``screen`` and the full verdict of what it does not let
pass; and the full explained verdict of every text. Best of PASSES passes; set OMP_NUM_THREADS=1 for one core.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle

import spacy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from spacy.matcher import PhraseMatcher
from spacy.training import Example

import classifiers
from classifiers import labelled, lexicon
from classifiers.classifier import Classifier
from classifiers.labelled import Row
from classifiers.listing_text import lay_out
from classifiers.pipeline import CodePointTokenizer
from classifiers.verdict import ListingText

TEXTS = 4000
LENGTH = 120
PASSES = 3
TERMS = 5000
BOW = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "ngram_size": 4,
    "no_output_layer": False,
}


def joined(rows: Iterable[Row]) -> Iterator[str]:
    """Texts of LENGTH characters, each of as many rows as it takes; without end."""
    source = cycle([lay_out(row.listing).text.replace("\n", " ").strip() for row in rows])
    while True:
        text = next(source)
        while len(text) < LENGTH:
            text += " " + next(source)
        yield text[:LENGTH]


def catalogue() -> list[str]:
    unseen = labelled.rows("test")
    ordinary = joined(row for row in unseen if row.platform == labelled.CATALOGUE)
    violating = joined(row for row in unseen if row.violating)
    texts = [next(violating if n % 100 == 0 else ordinary) for n in range(TEXTS)]
    random.Random(0).shuffle(texts)
    return texts


def linear_svm(fitted: list[Row]) -> Callable[[list[str]], object]:
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 4)), LinearSVC())
    model.fit([lay_out(row.listing).text for row in fitted], [row.violating for row in fitted])
    return model.predict


def spacy_stock(fitted: list[Row]) -> Callable[[list[str]], object]:
    """Its speed does not depend on how well it has learnt, so one pass must do."""
    nlp = spacy.blank("xx")
    nlp.tokenizer = CodePointTokenizer(nlp.vocab)
    nlp.add_pipe("textcat", config={"model": BOW})
    examples = [
        Example.from_dict(
            nlp.make_doc(row.title), {"cats": {"BAD": row.violating, "GOOD": not row.violating}}
        )
        for row in fitted[:3000]
    ]
    optimizer = nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=optimizer)
    matcher = PhraseMatcher(nlp.vocab)
    matcher.add("TERM", [nlp.make_doc(text) for text in terms(fitted)])
    return lambda texts: [(doc.cats, matcher(doc)) for doc in nlp.pipe(texts)]


def terms(fitted: list[Row]) -> list[str]:
    spellings = (s for entry in lexicon.load().entries for s in (entry.term, *entry.variants))
    words = (word for row in fitted for word in row.title.split() if 2 <= len(word) <= 6)
    return list(dict.fromkeys([*spellings, *words]))[:TERMS]


def cascade(classifier: Classifier, texts: list[str]) -> list[object]:
    listings = [ListingText(id="x", title=text) for text in texts]
    looks = classifier.screen(listings)
    return list(classifier.classify_many(one for one, look in zip(listings, looks, strict=True) if look))


def full(classifier: Classifier, texts: list[str]) -> list[object]:
    return list(classifier.classify_many(ListingText(id="x", title=text) for text in texts))


def micros(work: Callable[[list[str]], object], texts: list[str]) -> float:
    """Microseconds of CPU for one text, in the best of PASSES passes."""
    best = float("inf")
    for _ in range(PASSES):
        start = time.process_time()
        work(texts)
        best = min(best, time.process_time() - start)
    return best / len(texts) * 1e6


def main() -> None:
    texts, fitted = catalogue(), labelled.rows("train")
    classifier = classifiers.load()
    svm, stock = micros(linear_svm(fitted), texts), micros(spacy_stock(fitted), texts)
    print(f"{'':34}{'µs':>8}{'SVM ÷':>9}{'spaCy ÷':>9}")
    ours = {"cascade": cascade, "full explained verdict": full}
    for name, work in ours.items():
        took = micros(lambda texts, work=work: work(classifier, texts), texts)
        print(f"{name:34}{took:8.1f}{svm / took:9.1f}{stock / took:9.1f}")
    print(f"{'TF-IDF char 1-4 + SVM':34}{svm:8.1f}\n{'spaCy BOW + PhraseMatcher':34}{stock:8.1f}")
    looked = sum(classifier.screen(ListingText(id="x", title=text) for text in texts))
    print(f"{looked / len(texts):.1%} of the catalogue needed the full verdict")


if __name__ == "__main__":
    main()
