"""Near-duplicate search beside datasketch's MinHashLSH: CPU per text, recall of the exact answer, memory.

    python bench/neighbours.py [--crowd 1000000]

The texts are made of the corpus: titles and the start of descriptions, recombined; two in five are copies of
an earlier text with up to two characters changed. All are normalised before the clock starts. The work is to
take in all texts and to find, for each, which others are alike; each figure comes from a process of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache, partial
from itertools import islice

import numpy as np
from scipy.sparse import csr_matrix

from classifiers import labelled
from takedowns.neighbours import Index, canonical, shingled

LEAST = 0.8  # Dice, which is a Jaccard index of 2/3
COPIES = 0.4
NEAR = 5_000  # a copy is made of one of so many texts before it
PERMUTATIONS = (64, 128)
Found = set[tuple[int, int]]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--crowd", type=int, default=1_000_000, help="texts for our index alone")
    options.add_argument("--part", nargs=2, help="(one measurement, as the processes call it)")
    given = options.parse_args()
    if given.part:
        print(json.dumps(measured(given.part[0], int(given.part[1]))))
        return
    for texts in (10_000, 100_000):
        ours = part("ours", texts)
        report("ours", ours, ours)
        for permutations in PERMUTATIONS:
            report(f"datasketch, {permutations} permutations", part(f"peer{permutations}", texts), ours)
    report("ours", part("ours", given.crowd), None)


def report(name: str, figures: dict[str, float], ours: dict[str, float] | None) -> None:
    ratio = "" if ours is None else f"{figures['us'] / ours['us']:6.1f} x our CPU"
    recall = f"  recall {figures['recall']:.3f}" if "recall" in figures else ""
    print(
        f"{name:28}{figures['texts']:>10,.0f} texts{figures['us']:>8.1f} us each"
        f"{figures['mb']:>7,.0f} MB peak  {ratio}{recall}",
        flush=True,
    )


def part(name: str, texts: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--part", name, str(texts)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)  # type: ignore[no-any-return]


def measured(name: str, texts: int) -> dict[str, float]:
    find = ours if name == "ours" else partial(peer, int(name.removeprefix("peer")))
    found, seconds = find(texts)
    figures = {
        "texts": texts,
        "us": seconds / texts * 1e6,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if texts == 10_000:
        alike = exact(texts)
        figures["recall"] = len(found & alike) / len(alike)
    return figures


def ours(texts: int) -> tuple[Found, float]:
    watch = Watch()
    index = Index(shingled(watch.without(synthetic(texts))), LEAST)
    found: Found = set()
    for pairs in index.pairs():
        if texts <= 100_000:
            found.update(zip(pairs.ones.tolist(), pairs.others.tolist(), strict=True))
    return found, watch.seconds


def peer(permutations: int, texts: int) -> tuple[Found, float]:
    from datasketch import MinHash, MinHashLSH  # the development group has it

    watch = Watch()
    lsh = MinHashLSH(threshold=LEAST / (2 - LEAST), num_perm=permutations)
    runs = ([run.encode() for run in _runs(text)] for text in watch.without(synthetic(texts)))
    found: Found = set()
    for number, signature in enumerate(MinHash.generator(runs, num_perm=permutations)):
        found.update((other, number) for other in lsh.query(signature))
        lsh.insert(number, signature, check_duplication=False)
    return found, watch.seconds


def exact(texts: int) -> Found:
    """All pairs at least LEAST alike, from the product of the matrix of texts and runs with itself."""
    numbers: dict[str, int] = {}
    rows = [[numbers.setdefault(run, len(numbers)) for run in _runs(text)] for text in synthetic(texts)]
    sizes = np.array([len(row) for row in rows])
    starts = np.concatenate(([0], np.cumsum(sizes)))
    matrix = csr_matrix((np.ones(starts[-1], np.int32), [run for row in rows for run in row], starts))
    found: Found = set()
    for first in range(0, texts, 500):
        shared = (matrix[first : first + 500] @ matrix.T).tocoo()
        ones = shared.row + first
        alike = (2 * shared.data >= LEAST * (sizes[ones] + sizes[shared.col])) & (shared.col > ones)
        found.update(zip(ones[alike].tolist(), shared.col[alike].tolist(), strict=True))
    return found


def _runs(text: str) -> set[str]:
    """As :func:`takedowns.neighbours.similarity` sees the text."""
    return {text[i : i + 2] for i in range(len(text))}


class Watch:
    """Processor time of this process since it was made, without what making the texts took."""

    def __init__(self) -> None:
        self._start = time.process_time()

    @property
    def seconds(self) -> float:
        return time.process_time() - self._start

    def without(self, texts: Iterator[str]) -> Iterator[str]:
        while chunk := self._made(texts):
            yield from chunk

    def _made(self, texts: Iterator[str]) -> list[str]:
        before = time.process_time()
        made = list(islice(texts, 4096))
        self._start += time.process_time() - before
        return made


def synthetic(texts: int) -> Iterator[str]:
    chance = random.Random(4)
    parts, letters = material()
    earlier: list[str] = []
    for _ in range(texts):
        if earlier and chance.random() < COPIES:
            text = chance.choice(earlier)
            for _ in range(chance.randint(0, 2)):
                place = chance.randrange(len(text))
                text = text[:place] + chance.choice(letters) + text[place + chance.randint(0, 1) :]
        else:
            one, other = chance.choice(parts), chance.choice(parts)
            cut = chance.randrange(6, len(one)), chance.randrange(len(other))
            text = one[: cut[0]] + other[cut[1] :] + "".join(chance.choices(letters, k=4))
        earlier.append(text)
        del earlier[: len(earlier) - NEAR]
        yield text


@cache
def material() -> tuple[list[str], list[str]]:
    texts = canonical(f"{row.title} {row.description[:40]}" for row in labelled.rows())
    parts = list(dict.fromkeys(text for text in texts if len(text) > 6))
    return parts, sorted(set("".join(parts)))


if __name__ == "__main__":
    main()
