"""Spelling tricks played on a listing by a program, to measure how much each of them costs the classifier.

The tables here are made from public ones (pypinyin, Unicode names) and share nothing with the normaliser's:
what undoes a trick must not be what played it.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache

import opencc
from pypinyin import Style, lazy_pinyin

from classifiers.verdict import ListingText

_CJK = re.compile("[一-鿿]")
_LATIN = re.compile("[A-Za-z]")
_MARKS = "*·.-/_~|^•"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_PARTS = {"烟": "火因", "弹": "弓单", "油": "氵由", "液": "氵夜", "雾": "雨务", "化": "亻匕", "悦": "忄兑",
          "刻": "亥刂", "柚": "木由", "棒": "木奉", "杆": "木干", "味": "口未", "吸": "口及"}  # fmt: skip
_LOOKALIKES = {
    "a": "а",
    "e": "е",
    "o": "о",
    "p": "р",
    "c": "с",
    "x": "х",
    "i": "і",
    "v": "ν",
    "y": "у",
    "s": "ѕ",
}
_LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5"}
_EMOJI = {
    "烟": "🚬", "雾": "💨", "冰": "🧊", "西瓜": "🍉", "葡萄": "🍇", "草莓": "🍓", "薄荷": "🌿", "芒果": "🥭",
    "蓝莓": "🫐", "桃": "🍑", "柠檬": "🍋", "菠萝": "🍍", "茶": "🍵", "咖啡": "☕", "smoke": "🚬",
    "ice": "🧊", "grape": "🍇", "mango": "🥭",
}  # fmt: skip

Trick = Callable[[str, random.Random], str]


def each(pattern: re.Pattern[str], change: Callable[[str, random.Random], str]) -> Trick:
    """A trick that changes every character of a kind."""
    return lambda word, rng: pattern.sub(lambda match: change(match[0], rng), word)


@cache
def _same_sound() -> dict[str, list[str]]:
    """Toneless syllable → the common characters (GB 2312, level 1) read so."""
    level_one = bytes(b for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) for b in (high, low))
    found = defaultdict(list)
    for char in level_one.decode("gb2312", errors="ignore"):
        found[_sound(char)].append(char)
    return found


@cache
def _sound(char: str) -> str:
    return lazy_pinyin(char, style=Style.NORMAL)[0]


def _homophone(char: str, rng: random.Random) -> str:
    others = [other for other in _same_sound().get(_sound(char), []) if other != char]
    return rng.choice(others) if others else char


def _one_homophone(word: str, rng: random.Random) -> str:
    """Half of the characters at most, and one at least: a word with none left is no longer understood."""
    places = [match.start() for match in _CJK.finditer(word)]
    chosen = set(rng.sample(places, max(1, len(places) // 2))) if places else set()
    return "".join(_homophone(char, rng) if at in chosen else char for at, char in enumerate(word))


def _between(marks: str) -> Trick:
    return lambda word, rng: "".join(char + rng.choice(marks) for char in word[:-1]) + word[-1:]


def _fullwidth(char: str, _rng: random.Random) -> str:
    return chr(ord(char) + 0xFEE0)


def _emoji(word: str, _rng: random.Random) -> str:
    for text, sign in _EMOJI.items():
        word = word.replace(text, sign)
    return word


def _enclosed(char: str, _rng: random.Random) -> str:
    return unicodedata.lookup(f"CIRCLED LATIN SMALL LETTER {char.upper()}")


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("s2t")


def _traditional(word: str, _rng: random.Random) -> str:
    return str(_converter().convert(word))


TRICKS: dict[str, Trick] = {
    "homophone": _one_homophone,
    "pinyin": each(_CJK, lambda char, _rng: _sound(char)),
    "split_char": each(_CJK, lambda char, _rng: _PARTS.get(char, char)),
    "zero_width": _between(_INVISIBLE),
    "symbols_inserted": _between(_MARKS),
    "spaces_inserted": _between(" "),
    "traditional": _traditional,
    "fullwidth": each(re.compile("[!-~]"), _fullwidth),
    "lookalike": each(_LATIN, lambda char, _rng: _LOOKALIKES.get(char.lower(), char)),
    "enclosed": each(_LATIN, _enclosed),
    "leetspeak": each(_LATIN, lambda char, _rng: _LEET.get(char.lower(), char)),
    "emoji": _emoji,
    "reversal": lambda word, _rng: word[::-1],
    "repeated": each(_CJK, lambda char, _rng: char * 3),
}
"""Kind of trick → what it makes of one word."""


def evade(listing: ListingText, words: Iterable[str], kind: str, seed: int = 0) -> ListingText:
    """``listing`` with the trick ``kind`` played on each of ``words`` wherever it stands.

    Raises ``KeyError`` for an unknown trick. The same seed plays the same trick.
    """
    rng, trick = random.Random(f"{seed}{listing.id}{kind}"), TRICKS[kind]  # noqa: S311 - no secret
    changes = {word: trick(word, rng) for word in sorted(set(words), key=len, reverse=True) if word.strip()}
    if not changes:
        return listing
    anyone = re.compile("|".join(map(re.escape, changes)))

    def changed(text: str) -> str:
        return anyone.sub(lambda match: changes[match[0]], text)

    return listing.model_copy(
        update={
            "title": changed(listing.title),
            "description": changed(listing.description),
            "attributes": {name: changed(value) for name, value in listing.attributes.items()},
        }
    )
