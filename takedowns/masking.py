"""Who told us something is not kept: names behind a label, numbers and addresses by which a person is found.

What a link says stays as it is: an item's number may look like a telephone's, and says nothing of anybody.
"""

from __future__ import annotations

import re

from crawlers.links import URL

MASK = "***"
_LABEL = "举报人|投诉人|反映人|来电人|申诉人|联系人|姓名|住址|caller|reporter|informant|complainant|name"
_BIRTHDAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_GAP = r"[\s\-—–·.]?"
# The longest first: an identity number must not be taken for a telephone's.
_PERSONAL = re.compile(
    "|".join(
        (
            rf"(?P<named>(?:{_LABEL})[\w\s]{{0,6}}[:：]\s*)[^\s,，。;；、:：]{{1,40}}",
            r"[A-Za-z\d.+_-]{1,64}@[A-Za-z\d-]{1,63}(?:\.[A-Za-z\d-]{1,63}){1,4}",  # mail
            rf"(?<![\dA-Za-z])[1-9]\d{{5}}\s?(?:18|19|20)\d\d{_BIRTHDAY}\s?\d{{3}}[\dXxＸｘ](?![\dA-Za-z])",
            rf"(?<![\dA-Za-z])[1-9]\d{{5}}\d\d{_BIRTHDAY}\d{{3}}(?![\dA-Za-z])",  # identity number until 1999
            # mobile
            rf"(?<![\dA-Za-z])(?:[+＋]?86{_GAP}|0086{_GAP})?[1１][3-9３-９]\d(?:{_GAP}\d){{8}}(?!\d)",
            r"(?<![\dA-Za-z])[(（]?[0０]\d{2,3}[)）]?[\s\-—–]?\d{7,8}(?!\d)",  # landline
        )
    ),
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """``text`` with names behind labels, telephone and identity numbers and mail addresses as ``***``.

    >>> masked("举报人：张三，电话13800138000，见 https://shop.invalid/item/13800138000")
    '举报人：***，电话***，见 https://shop.invalid/item/13800138000'
    """
    kept, at = [], 0
    for link in URL.finditer(text):
        kept += [_masked(text[at : link.start()]), link[0]]
        at = link.end()
    return "".join([*kept, _masked(text[at:])])


def _masked(text: str) -> str:
    return _PERSONAL.sub(lambda found: f"{found['named'] or ''}{MASK}", text)
