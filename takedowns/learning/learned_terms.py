"""``config/lexicon/learned.yml``: the terms that the desk has added to the lexicon."""

from __future__ import annotations

import difflib
import io
import itertools
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

from pypinyin import lazy_pinyin
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from classifiers import lexicon, lexicon_check, signals
from classifiers.lexicon import Entry, Lexicon, WeightHint
from classifiers.normalize import normalize

FILE = "learned.yml"
HEADER = """\
# Terms found in confirmed listings and added with `vapewatch lexicon add`. They may be edited by hand;
# `vapewatch lexicon check` runs their examples.
entries:
"""
LONGEST = 40  # characters; a term is a word, not a sentence
AROUND = 8  # characters of an example on either side
HITS_AT_MOST = 2  # listings of the other sort that a term may be in


class TermError(ValueError):
    """A term that cannot be added; ``code`` names the reason for programs, the text for people."""

    code = "term"


class KnownTermError(TermError):
    code = "known_term"


class UnknownConceptError(TermError):
    code = "unknown_concept"


class TooCommonError(TermError):
    code = "too_common"


class BreaksLexiconError(TermError):
    code = "breaks_lexicon"


def entry_for(
    term: str, concept: str, weight_hint: WeightHint, *, note: str, confirmed: Iterable[str], directory: Path
) -> Entry:
    """The entry to be added, with the first of the ``confirmed`` texts that has the term as its example.

    Raises TermError where there can be none, and ConfigError for a lexicon that cannot be used.
    """
    canonical = normalize(term).text
    if not canonical.strip() or len(term) > LONGEST or not term.isprintable():
        raise TermError(f"a term has 1 to {LONGEST} characters that can be seen, on one line")
    known = lexicon.load(directory).entries
    for entry in known:
        if canonical in {normalize(text).text for text in (entry.term, *entry.variants, *entry.disguised)}:
            raise KnownTermError(f"{term!r} is a spelling of the entry {entry.id} ({entry.concept}) already")
    _require_concept(concept, directory)
    entry = Entry(
        id=_free_id(term, {entry.id for entry in known}), concept=concept, term=term, weight_hint=weight_hint
    )
    return entry.model_copy(update={"note": note, "match": (_example(entry, confirmed),)})


def _example(entry: Entry, texts: Iterable[str]) -> str:
    """The words around the term as a seller wrote them; the term itself where none wrote it."""
    alone = Lexicon([entry])
    for text in texts:
        norm = normalize(text)
        if hits := alone.find(norm):
            start, end = norm.original_span(hits[0].start, hits[0].end)
            around = " ".join(text[max(0, start - AROUND) : end + AROUND].split())
            if alone.find(normalize(around)):
                return around
    return entry.term


def refuse_common(entry: Entry, lawful: Iterable[str], confirmed: Iterable[str]) -> int:
    """The number of ``lawful`` texts that the term is in; for an ordinary concept, of ``confirmed`` ones.

    Raises TooCommonError beyond HITS_AT_MOST.
    """
    ordinary = entry.concept.startswith("ordinary.")
    alone = Lexicon([entry])
    hits = sum(bool(alone.find(normalize(text))) for text in (confirmed if ordinary else lawful))
    if hits > HITS_AT_MOST:
        sort = "confirmed" if ordinary else "lawful"
        raise TooCommonError(f"{entry.term!r} is in {hits} {sort} listings: it would speak against itself")
    return hits


def add(entry: Entry, directory: Path) -> Path:
    """Append ``entry`` to the file and check the whole lexicon; if that fails, the file is as it was before.

    Comments and layout of the file stay. Raises BreaksLexiconError with what the check says.
    """
    if problems := lexicon_check.check(directory):
        raise BreaksLexiconError(f"the lexicon must be mended first: {'; '.join(problems)}")
    path = directory / FILE
    before = path.read_bytes() if path.exists() else None
    _write(path, _appended(before.decode("utf-8-sig") if before else HEADER, entry))
    if problems := lexicon_check.check(directory):
        path.unlink() if before is None else _write(path, before)
        raise BreaksLexiconError(f"nothing was added: {'; '.join(problems)}")
    return path


def _appended(text: str, entry: Entry) -> bytes:
    """What stands in the file already stays byte for byte."""
    yaml = YAML()
    yaml.width = 10_000  # a line each, however long
    written = io.StringIO()
    yaml.dump([_as_written(entry)], written)
    first = re.search("^( *)- ", text, re.M)
    block = textwrap.indent(written.getvalue(), first[1] if first else "  ")
    return f"{text.rstrip()}\n{block}".encode()


def _as_written(entry: Entry) -> CommentedMap:
    examples = CommentedSeq([Quoted(text) for text in entry.match])
    examples.fa.set_flow_style()
    return CommentedMap(
        id=entry.id,
        concept=entry.concept,
        term=Quoted(entry.term),
        weight_hint=entry.weight_hint,
        note=Quoted(entry.note),
        match=examples,
    )


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _require_concept(concept: str, directory: Path) -> None:
    known = lexicon.concepts(directory).keys() - signals.CONCEPTS  # those are the code's to give
    if concept not in known:
        guess = difflib.get_close_matches(concept, known, n=1)
        hint = f"did you mean {guess[0]}?" if guess else f"known are {', '.join(sorted(known))}"
        raise UnknownConceptError(f"no term can have the concept {concept!r}; {hint}")


def _free_id(term: str, taken: set[str]) -> str:
    spelled = "".join(lazy_pinyin(normalize(term).text)).lower()
    base = f"learned_{re.sub('[^a-z0-9]+', '_', spelled).strip('_')}".rstrip("_")
    names = (base if n == 1 else f"{base}_{n}" for n in itertools.count(1))
    return next(name for name in names if name not in taken)
