"""The normaliser against the usual chain, in one run: µs for 120 characters, and the worst cases.

    OMP_NUM_THREADS=1 python bench/normalize.py

The chain, text by text: NFKC, OpenCC t2s, lower case, format and control characters stripped. Against it
stands the batch folder with a table built from that very chain, so that both give the same bytes; this is
checked on hostile texts first. It is shown twice: with OpenCC converting character by character, as the
normaliser does, and with OpenCC's phrases (乾坤, 慰藉), where every text with a character of such a phrase
goes through the chain itself; so does in both cases one with characters that NFKC composes or with a final
sigma. The chain that is timed is the one with phrases, which is the faster. Texts are the corpus cut into
pieces of 120 characters, in batches of 256; times are CPU time, the best of PASSES.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from operator import ne
from pathlib import Path

import opencc

import classifiers
from classifiers.normalize import normalize
from classifiers.normalize_folding import BatchFolder, fold, fold_batch, runs

CORPUS = Path(classifiers.__file__).parent / "corpus"
LENGTH, BATCH, PASSES = 120, 256, 5
ADVERSARIAL = 20_000
BYTES = 100_000
# Every phrase of OpenCC 1.4 that t2s converts otherwise than its characters one by one contains one of these.
BY_PHRASE = "藉徵逕鍾蒐鍊昇脩祕沈瞭鉅氾釐於乾甦衹吒薹麼剋甌畫濛鑿噁麪脫袷貲劄陞谿鈞稟彿覆傢麽扞哩磚戶鋼製坏"
PHRASES = ("乾坤", "慰藉", "憑藉", "意志消沈", "蒜薹", "於崇文", "鑽石項鍊", "一目瞭然", "重覆", "李昇")
TRAPS = (
    "e\u0301",
    "ΑΣ ",
    "Σ",
    "\u1100\u1161\u11a8",
    "ｶﾞ",
    "ﷺ",
    "İ",
    "\u0344",
    "\uf900",
    "電子煙",
    "🍉",
    "\u200b",
    "ǅ",
)
WORST = (
    "电*子*烟*",
    "电 子 烟 ",
    "a-b-c-",
    "火因",
    "v4pe ",
    "&amp;",
    "<b>",
    "&#30005;",
    "電\u200b",
    "烟烟烟/",
    "ﷺ",
    "申子烟",
)

FULL_WIDTH = str.maketrans(",!?:;()", "，！？：；（）")

t2s = opencc.OpenCC("t2s")
every = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
STRIPPED = re.compile(
    f"[{runs(c for c in every if unicodedata.category(c) in {'Cf', 'Cc'} and c != chr(10))}]"
)


def chain(text: str, convert: Callable[[str], str] = t2s.convert) -> str:
    return STRIPPED.sub("", convert(unicodedata.normalize("NFKC", text)).lower())


ALONE = {ord(char): converted for char in every if (converted := t2s.convert(char)) != char}


def chain_by_character(text: str) -> str:
    return chain(text, lambda text: text.translate(ALONE))


def in_context(special: str) -> frozenset[str]:
    """Characters that the chain treats differently next to others."""
    parts = [unicodedata.decomposition(char).split() for char in every]
    seconds = {chr(int(p[1], 16)) for p in parts if len(p) == 2 and not p[0].startswith("<")}
    seconds |= set(map(chr, [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]))  # vowels and finals of Hangul

    def depends(char: str) -> bool:
        first = unicodedata.normalize("NFKD", char)[0]
        return first in seconds or unicodedata.combining(first) > 0 or not_alone(char)

    def not_alone(char: str) -> bool:
        return unicodedata.normalize("NFKC", char) in set(special)

    return frozenset(filter(depends, every[:0x10000]))


def hostile() -> Iterator[str]:
    rng = random.Random(1)
    common = [*BY_PHRASE, *PHRASES, *TRAPS]
    for _ in range(ADVERSARIAL):
        length = rng.randrange(30)
        yield "".join(rng.choice(common) if rng.random() < 0.3 else rng.choice(every) for _ in range(length))
        yield "".join(rng.choice(every[0x3400:0xA000]) for _ in range(length))


def listings() -> list[str]:
    """Titles and descriptions of the corpus, one after the other, in pieces of LENGTH characters."""
    lines = (line for path in sorted(CORPUS.glob("*.jsonl")) for line in path.open(encoding="utf-8"))
    text = "\n".join(f"{row['title']} {row.get('description', '')}" for row in map(json.loads, lines))
    return [text[at : at + LENGTH] for at in range(0, len(text) - LENGTH, LENGTH)]


def micros(work: Callable[[], object], units: int) -> float:
    seconds = []
    for _ in range(PASSES):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds) / units * 1e6


def batches(folder: BatchFolder, texts: list[str]) -> Callable[[], list[str]]:
    return lambda: [t for at in range(0, len(texts), BATCH) for t in folder(texts[at : at + BATCH])]


FOLDERS = {
    "table of the chain, by character": (
        BatchFolder(chain_by_character, in_context("Σ")),
        chain_by_character,
    ),
    "table of the chain, with phrases": (BatchFolder(chain, in_context("Σ" + BY_PHRASE)), chain),
    "fold_batch, our own table": (fold_batch, fold),
}


def compare(texts: list[str]) -> None:
    usual = micros(lambda: [chain(text) for text in texts], len(texts))
    rows = {"chain, text by text": usual}
    rows |= {name: micros(batches(folder, texts), len(texts)) for name, (folder, _) in FOLDERS.items()}
    rows["normalize, with offsets"] = micros(lambda: [normalize(text) for text in texts], len(texts))
    for name, each in rows.items():
        print(f"  {name:34}{each:8.2f} µs{usual / each:8.1f} ×")


def main() -> None:
    texts, traps = listings(), list(hostile())
    wide = [text.translate(FULL_WIDTH) for text in texts]
    every_text = [*traps, *texts, *wide]
    print(f"texts that come out otherwise, of {len(traps)} hostile ones and {len(texts)} listings")
    differ = {
        name: sum(map(ne, folder(every_text), map(slow, every_text)))
        for name, (folder, slow) in FOLDERS.items()
    }
    for name, count in differ.items():
        print(f"  {name:34}{count:8}")
    print("listings with full-width punctuation, as Chinese keyboards give it")
    compare(wide)
    print("listings with the half-width punctuation of the corpus")
    compare(texts)
    print(f"normalize of {BYTES:,} bytes of")
    for unit in WORST:
        text = unit * (BYTES // len(unit.encode()))
        print(f"  {unit!r:34}{micros(partial(normalize, text), 1000):8.1f} ms")
    if any(differ.values()):
        sys.exit("the batch folder is not exact")


if __name__ == "__main__":
    main()
