"""The classifier that others call: listings in, verdicts out; and the same for JSON Lines."""

from __future__ import annotations

import gc
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, cast

import spacy
from pydantic import ValidationError
from spacy.language import Language
from spacy.tokens import Doc

from classifiers import images, pipeline
from classifiers.judge import LABELS, VIOLATIONS
from classifiers.listing_text import Layout, lay_out, locate
from classifiers.pipeline import SPANS
from classifiers.screening import Screen
from classifiers.signals import kind_of
from classifiers.verdict import Claim, Label, ListingText, Signal, Verdict

MODEL = Path(__file__).with_name("model")
BATCH = 256  # large enough that NumPy works on whole batches, small enough to answer a pipe without delay
MOST_CHARACTERS = 200_000  # of a batch, give or take one listing: of the longest ones 256 would take 12 GB
MAX_ERROR = 300  # characters; a line can hold thousands of faults
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Classifier:
    """Classifies listing text. Build it with :func:`load`; one instance serves one thread."""

    nlp: Language
    threshold: float
    lexicon_version: str
    model_version: str
    image_reader: images.Images = field(default_factory=images.Images)

    def classify_many(self, listings: Iterable[ListingText]) -> Iterator[Verdict]:
        """One verdict for each listing, in order; reads up to ``BATCH`` listings ahead."""
        for batch in _batches(listings):
            docs = self.nlp.pipe((layout.text for _, layout in batch), batch_size=BATCH)
            for (listing, layout), doc in zip(batch, docs, strict=True):
                yield self._with_images(listing, self._verdict(listing, layout, doc, _original(listing)))

    def screen(self, listings: Iterable[ListingText]) -> Iterator[bool]:
        """Whether each listing, in order, needs a verdict: False only where its words would not flag it."""
        for batch in _batches(listings):
            yield from self._first_look.needs_look([layout.text for _, layout in batch]).tolist()

    @cached_property
    def _first_look(self) -> Screen:
        signals = cast(pipeline.Signals, self.nlp.get_pipe("vapewatch_signals"))
        judge = cast(pipeline.Judge, self.nlp.get_pipe("vapewatch_judge"))
        return Screen(signals.lexicon, judge.fitted)

    def _with_images(self, listing: ListingText, verdict: Verdict) -> Verdict:
        """Text in pictures can only add to the suspicion: harmless words in one acquit nobody."""
        if not self.image_reader.wanted(listing, verdict, self.threshold):
            return verdict
        seen = self.image_reader.read(listing.images)
        texts = images.fields(seen)
        layout = lay_out(listing, texts)
        again = self._verdict(listing, layout, self.nlp(layout.text), _original(listing) | texts)
        worse = max(verdict, again, key=lambda one: one.score)
        signals = (*worse.signals, *images.contacts(seen))
        return worse.model_copy(update={"images": seen, "signals": signals})

    def _verdict(
        self, listing: ListingText, layout: Layout, doc: Doc, original: Mapping[str, str]
    ) -> Verdict:
        scores = {label: doc.cats[label] for label in LABELS}
        score = 1 - scores[Label.BENIGN]
        flagged = score >= self.threshold
        label = max(VIOLATIONS, key=scores.__getitem__) if flagged else Label.BENIGN
        return Verdict(
            id=listing.id,
            label=label,
            score=score,
            flagged=flagged,
            scores=scores,
            signals=(*_signals(doc, layout, original), *_clipped(layout, original)),
            claims=tuple(_claims(doc, layout, original)),
            lexicon_version=self.lexicon_version,
            model_version=self.model_version,
        )


def _batches(listings: Iterable[ListingText]) -> Iterator[list[tuple[ListingText, Layout]]]:
    batch: list[tuple[ListingText, Layout]] = []
    characters = 0
    for listing in listings:
        layout = lay_out(listing)
        batch.append((listing, layout))
        characters += len(layout.text)
        if len(batch) == BATCH or characters >= MOST_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def load(
    lexicon_dir: Path | None = None, model_dir: Path = MODEL, base_rate: float | None = None
) -> Classifier:
    """The model of ``model_dir`` with the lexicon of ``lexicon_dir`` (default: ``config/lexicon``).

    ``base_rate`` as in :func:`classifiers.load`. Raises :class:`classifiers.yamlfile.ConfigError` for a
    lexicon that cannot be used.
    """
    overrides = {"components.vapewatch_signals.lexicon_dir": str(lexicon_dir) if lexicon_dir else None}
    nlp = spacy.load(model_dir, config=overrides)
    signals = cast(pipeline.Signals, nlp.get_pipe("vapewatch_signals"))
    judge = cast(pipeline.Judge, nlp.get_pipe("vapewatch_judge"))
    if base_rate is not None:
        judge.fitted = judge.fitted.at_base_rate(base_rate)
    _set_aside()
    return Classifier(
        nlp=nlp,
        threshold=judge.fitted.threshold,
        lexicon_version=signals.lexicon.version,
        model_version=_model_version(model_dir),
    )


def _set_aside() -> None:
    """Keep the garbage collector from going through all of lexicon and libraries again and again.

    That took a fifth of the time of a verdict. What an earlier call set aside and nobody holds is freed.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _model_version(directory: Path) -> str:
    """First 12 hex digits of a SHA-256 over the judge's files."""
    digest = hashlib.sha256()
    for path in sorted((directory / "vapewatch_judge").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _original(listing: ListingText) -> dict[str, str]:
    fields = {
        "title": listing.title,
        "description": listing.description,
        "shop": listing.shop or "",
        "price": "" if listing.price is None else str(listing.price),
    }
    return fields | {f"attributes.{name}": value or name for name, value in listing.attributes.items()}


def _signals(doc: Doc, layout: Layout, original: Mapping[str, str]) -> Iterator[Signal]:
    why, contributions = doc.user_data["why"], doc.user_data["contributions"]
    for span, reason, contribution in zip(doc.spans[SPANS], why, contributions, strict=True):
        place = locate(layout, span.start, span.end)
        if place:
            yield _signal(span.label_, reason, contribution, place, original)


def _signal(
    concept: str, why: str, contribution: float, place: tuple[str, int, int], original: Mapping[str, str]
) -> Signal:
    field, start, end = place
    return Signal(
        kind=kind_of(concept),
        concept=concept,
        text=original[field][start:end],
        field=field,
        start=start,
        end=end,
        contribution=contribution,
        why=why,
    )


def _clipped(layout: Layout, original: Mapping[str, str]) -> Iterator[Signal]:
    """Says which fields were not read to their end; marked is the last character that was."""
    for segment in layout.segments:
        length = segment.end - segment.value
        if segment.clipped and length:
            place = (segment.field, length - 1, length)
            yield _signal("evasion.overlong", "evasion.overlong", 0.0, place, original)


def _claims(doc: Doc, layout: Layout, original: Mapping[str, str]) -> Iterator[Claim]:
    for kind, first, last, status, reasons in doc.user_data["claims"]:
        place = locate(layout, first, last)
        if place:
            field, start, end = place
            text = original[field][start:end]
            yield Claim(
                kind=kind, text=text, field=field, start=start, end=end, status=status, reasons=tuple(reasons)
            )


def classify_lines(lines: Iterable[str], classifier: Classifier) -> Iterator[tuple[str, bool]]:
    """JSON Lines in, one JSON line and whether it is a verdict out, for every line and in order.

    A line that is no valid listing, a blank one included, gives ``{"id"?, "error"}`` on its place.
    """
    stream = iter(lines)
    while batch := list(islice(stream, BATCH)):
        parsed = [_parsed(line) for line in batch]
        verdicts = classifier.classify_many(item for item in parsed if isinstance(item, ListingText))
        for item in parsed:
            good = isinstance(item, ListingText)
            yield _line(next(verdicts).model_dump(mode="json") if good else item), good


def _line(answer: Any) -> str:
    """One line of JSON that can be written as UTF-8: half surrogate pairs of the input stay escaped."""
    text = json.dumps(answer, ensure_ascii=False)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _parsed(line: str) -> ListingText | dict[str, str]:
    try:
        data: Any = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return {"error": f"not JSON: {error}" if line.strip() else "empty line"}
    try:
        return ListingText.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'line'}: {f['msg']}" for f in error.errors())
        name = data.get("id") if isinstance(data, dict) else None
        known = {"id": name} if isinstance(name, str) else {}
        return known | {"error": faults[:MAX_ERROR]}
