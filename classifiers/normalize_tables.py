"""What one character becomes, and which spelling trick that undoes. Data for :mod:`classifiers.normalize`."""

from __future__ import annotations

import unicodedata

import opencc

CJK = "[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]"

# Characters pulled apart into their components. No left half is a right half or the other way round, so that
# one pass is enough; pairs that ordinary text contains by chance (口及, 木干) are left to the lexicon.
COMPONENTS = {
    "火因": "烟", "弓单": "弹", "氵由": "油", "氵夜": "液", "雨务": "雾", "亻匕": "化",
    "忄兑": "悦", "亥刂": "刻", "亻言": "信", "讠旬": "询", "彳敖": "微",
}  # fmt: skip

# Emoji that sellers use as words, by what they use them for.
EMOJI_BY_USE = {
    "emoji_smoke": {"🚬": "烟", "💨": "烟气", "☁": "云", "🌫": "雾", "🔋": "电池", "👄": "嘴"},
    "emoji_fruit": {
        "🍉": "西瓜", "🍓": "草莓", "🍇": "葡萄", "🍑": "白桃", "🥭": "芒果", "🍋": "柠檬", "🍍": "菠萝",
        "🫐": "蓝莓", "🍒": "樱桃", "🍏": "青苹果", "🍎": "苹果", "🥝": "猕猴桃", "🥥": "椰子", "🍊": "橙子",
        "🍈": "哈密瓜", "🍌": "香蕉", "🧊": "冰", "❄": "冰", "🥶": "冰", "🍃": "薄荷", "🌿": "薄荷",
        "🍵": "茶", "🥤": "可乐", "☕": "咖啡",
    },
    "emoji_contact": {"🐧": "企鹅", "🛰": "卫星", "➕": "+", "✈": "飞机", "🦇": "蝙蝠", "🥔": "土豆"},
}  # fmt: skip
EMOJI = {emoji: word for words in EMOJI_BY_USE.values() for emoji, word in words.items()}
_EMOJI_USE = {emoji: use for use, words in EMOJI_BY_USE.items() for emoji in words}

# Letters of other scripts that look like Latin ones. Left out: μ, Ω and ° carry meaning in measures.
_LOOKALIKE = str.maketrans(
    "авекмнорстухіјѕԁһԛԝґɡɑαβεικνορτυχγɪʀꜱ\u0131",
    "abekmhopctyxijsdhqwrgaabeiknoptuxyirsi",
)

_PLAIN = str.maketrans(
    {"〔": "(", "〕": ")", "【": "(", "】": ")", "「": "(", "」": ")", "『": "(", "』": ")", "㎍": "μg"}
    | {chr(0x2776 + n): str(n + 1) for n in range(10)}  # ❶ … ❿
    | {chr(0x1F150 + n): chr(97 + n) for n in range(26)}  # negative circled letters
    | {chr(0x1F170 + n): chr(97 + n) for n in range(26)}  # negative squared letters
    | {chr(0x1F1E6 + n): chr(97 + n) for n in range(26)}  # regional indicators
)

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u180e")  # letters and symbols that show nothing
_ENCLOSED = ((0x2460, 0x24FF), (0x1D400, 0x1D7FF), (0x1F110, 0x1F189), (0x2070, 0x209F), (0x1D2C, 0x1D6A))


def _simplified() -> dict[int, str]:
    """Single-character traditional → simplified, from OpenCC; one line each keeps its phrases out of play."""
    traditional = [chr(code) for code in range(0x3400, 0xA000)]
    simplified = opencc.OpenCC("t2s").convert("\n".join(traditional)).split("\n")
    pairs = zip(traditional, simplified, strict=True)
    return {ord(a): b for a, b in pairs if a != b and len(b) == 1} | {ord("菸"): "烟"}


_SIMPLIFIED = _simplified()


def _fold_once(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN).lower().translate(_LOOKALIKE)
    text = "".join(_unaccented(char) for char in text).translate(_SIMPLIFIED)
    return "".join(char for char in text if unicodedata.category(char) not in {"Mn", "Me", "Cf", "Cc"})


def _unaccented(char: str) -> str:
    """é → e; scripts other than Latin, Greek and Cyrillic keep their marks (が is not か)."""
    return unicodedata.normalize("NFKD", char)[0] if "À" <= char < "\u0530" or "Ḁ" <= char <= "ỿ" else char


def _fold(char: str) -> str:
    if char in "\n\r\v\f\x85\u2028\u2029":
        return "\n"
    if char == "\t":
        return " "
    if char in _BLANK_LETTERS or char in EMOJI:
        return EMOJI.get(char, "")
    if "\ud800" <= char <= "\udfff":  # half of a pair, as broken JSON carries it
        return "\ufffd"
    before, after = char, _fold_once(char)
    while after != before:
        before, after = after, _fold_once(after)
    return after


def _kind(char: str, folded: str) -> str | None:
    """The trick that ``char`` may be part of; ``lookalike`` and ``combining`` depend on neighbours."""
    code, category = ord(char), unicodedata.category(char)
    if category in {"Mn", "Me"}:
        return None if 0xFE00 <= code <= 0xFE0F else "combining"
    if folded == "":
        return "bidi" if char in _BIDI else "control" if category == "Cc" else "zero_width"
    if char in EMOJI:
        return _EMOJI_USE[char]
    if category == "Cs":
        return "control"
    return _letter_kind(char, code, folded)


def _letter_kind(char: str, code: int, folded: str) -> str | None:
    latin = folded.isascii() and folded.isalpha()
    if any(low <= code <= high for low, high in _ENCLOSED):
        return "homoglyph" if latin else None
    if 0xFF10 <= code <= 0xFF5A and folded.isalnum():
        return "fullwidth"
    if latin and not char.isascii() and not "À" <= char <= "\u024f":
        return "lookalike"
    return "traditional" if code in _SIMPLIFIED else None


class _Folder(dict[str, str]):
    """Remembers what a character becomes; ``kinds`` holds the few that may be part of a trick."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: dict[str, str] = {}

    def __missing__(self, char: str) -> str:
        folded = self[char] = _fold(char)
        kind = _kind(char, folded)
        if kind:
            self.kinds[char] = kind
        return folded


FOLD = _Folder()
