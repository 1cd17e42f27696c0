"""The spaCy pipeline: tokenizer → signals → judge. Importing this module registers its factories.

A token is one code point, so that token indexes are code-point offsets and every span is exact. ``signals``
finds what a person can see and name; ``judge`` is the trainable text category over those signals and n-grams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from spacy import blank as blank_language
from spacy import util
from spacy.language import Language
from spacy.strings import StringStore
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from classifiers import lexicon as lexicons
from classifiers import signals
from classifiers.judge import Evidence, Judgement, Model
from classifiers.lexicon import Lexicon
from classifiers.verdict import Label

SPANS = "signals"
TEXT_CONCEPT = "text.wording"
_NAMES = tuple((label, label.value) for label in Label)


class _Orths(dict[str, int]):
    """Remembers the number that the string store gives to a character."""

    def __init__(self, strings: StringStore) -> None:
        super().__init__()
        self._strings = strings

    def __missing__(self, char: str) -> int:
        orth = self[char] = self._strings.add(char)
        return orth


class CodePointTokenizer:
    """One token for each code point, blanks included; ``doc.text`` is the text itself."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab
        self._orth = _Orths(vocab.strings)

    def __call__(self, text: str) -> Doc:
        # Words as numbers: to hash every character anew takes a third of the time of a Doc. And the text goes
        # along: putting it together again costs more than all that is looked for in it.
        words = list(map(self._orth.__getitem__, text))
        return Doc(self.vocab, words=words, spaces=[False] * len(text), user_data={"text": text})  # type: ignore[arg-type]

    def to_disk(self, _path: Path, **_: Any) -> None:
        """Nothing to keep."""

    def from_disk(self, _path: Path, **_: Any) -> CodePointTokenizer:
        return self

    def to_bytes(self, **_: Any) -> bytes:
        return b""

    def from_bytes(self, _data: bytes, **_: Any) -> CodePointTokenizer:
        return self


@util.registry.tokenizers("vapewatch.code_points.v1")  # type: ignore[untyped-decorator]
def _make_tokenizer() -> Callable[[Language], CodePointTokenizer]:
    return lambda nlp: CodePointTokenizer(nlp.vocab)


class Signals:
    """Sets ``doc.spans["signals"]``; what does not fit into a span goes into ``doc.user_data``:

    ``features``, ``places`` in the ``canonical`` text and ``why`` (a list each, parallel to the spans),
    ``claims``, and the offset map ``starts``/``ends`` of that text; plain values only, so that a Doc can be
    stored and sent elsewhere.
    """

    def __init__(self, lexicon: Lexicon, this_year: int | None = None) -> None:
        self.lexicon = lexicon
        self.this_year = this_year

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc], batch_size=1))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int) -> Iterator[Doc]:
        for docs in util.minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]
            texts = [doc.user_data.get("text") or doc.text for doc in docs]  # a Doc may come from elsewhere
            found = signals.find_many(texts, self.lexicon, self.this_year)
            for doc, findings in zip(docs, found, strict=True):
                yield self._written(doc, findings)

    def _written(self, doc: Doc, findings: signals.Findings) -> Doc:
        read = findings.evidence
        doc.spans[SPANS] = [Span(doc, s.start, s.end, label=s.concept) for s in findings.signals]
        doc.user_data |= {
            "features": read.features,
            "places": read.places,
            "why": [s.why for s in findings.signals],
            "claims": [(c.kind, c.start, c.end, c.status, c.reasons) for c in findings.claims],
            "canonical": read.text,
            "starts": list(findings.norm.starts),
            "ends": list(findings.norm.ends),
        }
        return doc


@Language.factory(
    "vapewatch_signals", assigns=["doc.spans"], default_config={"lexicon_dir": None, "this_year": None}
)
def _make_signals(nlp: Language, name: str, lexicon_dir: str | None, this_year: int | None) -> Signals:  # noqa: ARG001 - spaCy calls it so
    return Signals(lexicons.load(Path(lexicon_dir) if lexicon_dir else lexicons.DIRECTORY), this_year)


class Judge:
    """Sets ``doc.cats``, and in ``doc.user_data`` the ``contributions`` parallel to the signals.

    The n-grams' share of the log-odds stands on one more signal, ``text.wording``, at the most telling words.
    """

    def __init__(self, model: Model | None = None) -> None:
        self._model = model

    # Not named ``model``: spaCy asks every component for an attribute of that name, in an order that differs
    # from process to process, and would meet the error below while the model is still being loaded.
    @property
    def fitted(self) -> Model:
        if self._model is None:
            raise ValueError("the judge has not been trained: no model was loaded")
        return self._model

    @fitted.setter
    def fitted(self, model: Model) -> None:
        self._model = model

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc], batch_size=1))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int) -> Iterator[Doc]:
        for docs in util.minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]
            judgements = self.fitted.judge([evidence(doc) for doc in docs])
            for doc, judgement in zip(docs, judgements, strict=True):
                _write(doc, judgement)
                yield doc

    def to_disk(self, path: Path, **_: Any) -> None:
        self.fitted.to_disk(Path(path))

    def from_disk(self, path: Path, **_: Any) -> Judge:
        self._model = Model.from_disk(Path(path))
        return self


@Language.factory("vapewatch_judge", assigns=["doc.cats"], requires=["doc.spans"])
def _make_judge(nlp: Language, name: str) -> Judge:  # noqa: ARG001 - spaCy calls it so
    return Judge()


def evidence(doc: Doc) -> Evidence:
    """What the judge looks at in a Doc that ``signals`` has been through."""
    return Evidence(doc.user_data["canonical"], doc.user_data["features"], doc.user_data["places"])


def _write(doc: Doc, judgement: Judgement) -> None:
    doc.cats = {name: judgement.scores[label] for label, name in _NAMES}
    doc.user_data["contributions"] = list(judgement.contributions)
    if judgement.wording is None:
        return
    first, last = judgement.wording
    start, end = doc.user_data["starts"][first], doc.user_data["ends"][last - 1]
    doc.spans[SPANS].append(Span(doc, start, end, label=TEXT_CONCEPT))
    doc.user_data["features"].append(TEXT_CONCEPT)
    doc.user_data["why"].append(TEXT_CONCEPT)
    doc.user_data["contributions"].append(judgement.wording_share)


def blank(lexicon_dir: Path | None = None) -> Language:
    """The pipeline without a model: its signals work, its judge waits for training."""
    config = {"nlp": {"tokenizer": {"@tokenizers": "vapewatch.code_points.v1"}}}
    nlp = blank_language("xx", config=config)
    nlp.add_pipe("vapewatch_signals", config={"lexicon_dir": str(lexicon_dir) if lexicon_dir else None})
    nlp.add_pipe("vapewatch_judge")
    return nlp
