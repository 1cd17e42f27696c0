"""A page made fit to be kept as a test case: who bought, who wrote, and how to reach them is taken out. Pure.

It errs on the side of taking out too much; whoever keeps the page reads it through all the same.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from crawlers.answer import Answer

KEPT_HEADERS = frozenset({"content-type", "cf-mitigated"})  # what a judgement looks at
MASK = "▇"
PHONE = re.compile(
    r"(?<![\d.])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)|(?<!\d)0\d{2,3}[- ]\d{7,8}(?!\d)"
    r"|(?<!\d)400[- ]?\d{3}[- ]?\d{4}(?!\d)"
)
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
IDENTITY = re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx](?!\d)")
HANDLE = re.compile(
    r"(?i)(?:微信|薇信|威信|v信|(?<![a-z\d])(?:vx|wx|wechat|weixin|qq)|扣扣)号?\s*[:：]?\s*[a-z\d][\w-]{4,30}"
)
PERSON = re.compile(
    r"(?i:联系人|收货人|收件人|姓名|店主|掌柜|客服|负责人|法人|经理|contact|owner|recipient)\s*[:：]\s*"
    r"([\u4e00-\u9fff·]{2,4}|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
)
SECRET = re.compile(
    r"(?i)([?&;](?:\w*token|sid|session\w*|sign|auth\w*|openid|unionid|uid|user_?id|tk|share_\w+)=)"
    r"[^&#\s\"'<>]+"
)
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # in lxml's trees
ATTRIBUTE = re.compile(r"[A-Za-z_][\w.:-]*", re.A)
# Elements about those who buy or are signed in.
BUYERS = re.compile(
    r"(?i)(?:^|[\s_-])(?:reviews?|comments?|feedbacks?|ratings?|buyers?|customers?|reviewers?|avatar|nickname"
    r"|user-?name|account-?name|order-?history|address-?list|consignee|qa-list)(?:$|[\s_-])"
)
LD_BUYERS = frozenset(
    {"review", "reviews", "author", "creator", "comment", "customer", "employee", "founder"}
)
MASKS = {"identity": IDENTITY, "phone": PHONE, "mail": MAIL, "handle": HANDLE}


def scrubbed(answer: Answer, item_id: str, names: tuple[str, ...] = ()) -> tuple[Answer, Counter[str]]:
    """The page without them, as UTF-8, and how many of each kind were taken out.

    ``names``: of persons, to be masked wherever they stand. What is no page keeps its status alone.
    """
    scrub = _Scrub(item_id, names)
    headers = {name: value for name, value in answer.headers.items() if name in KEPT_HEADERS}
    scrub.taken["header"] = len(answer.headers) - len(headers)
    if not answer.is_html:
        return dataclasses.replace(answer, body=b"", headers=headers), +scrub.taken
    headers["content-type"] = "text/html; charset=utf-8"
    clean = Answer(
        requested_url=scrub.text(answer.requested_url),
        url=scrub.text(answer.url),
        status=answer.status,
        body=scrub.page(answer.tree),
        headers=headers,
        redirects=tuple(map(scrub.text, answer.redirects)),
        rendered=answer.rendered,
    )
    return clean, +scrub.taken


def personal_in(text: str) -> Iterator[str]:
    """What a kept page must not hold: telephone numbers, mail addresses, handles, identity numbers."""
    for pattern in MASKS.values():
        yield from (found[0] for found in pattern.finditer(text))


@dataclass
class _Scrub:
    """``item_id`` stays, whatever it looks like; ``taken`` counts by kind."""

    item_id: str
    names: tuple[str, ...]
    taken: Counter[str] = field(default_factory=Counter)

    def page(self, tree: etree._Element) -> bytes:
        kept = copy.deepcopy(tree)
        for element in list(kept.iter(etree.Element)):
            self._empty_buyers(element)
        for element in kept.iter(etree.Element):
            self._element(element)
        text = etree.tostring(kept, encoding="unicode", method="html")
        return f"<!doctype html>\n{text}\n".encode("utf-8", "replace")

    def text(self, text: str) -> str:
        text = UNWRITABLE.sub("", text)
        for kind, pattern in MASKS.items():
            text = pattern.sub(lambda found, kind=kind: self._mask(kind, found[0]), text)  # type: ignore[misc]
        text = PERSON.sub(lambda found: found[0].replace(found[1], self._mask("name", found[1])), text)
        for name in filter(None, self.names):
            text = re.sub(re.escape(name), lambda found: self._mask("name", found[0]), text)
        text, count = SECRET.subn(r"\1x", text)
        self.taken["token"] += count
        return text

    def _mask(self, kind: str, found: str) -> str:
        if found == self.item_id:
            return found
        self.taken[kind] += 1
        return MASK * len(found)

    def _empty_buyers(self, element: etree._Element) -> None:
        words = " ".join(element.get(name, "") for name in ("class", "id", "itemprop"))
        if element.tag not in ("html", "body", "main") and BUYERS.search(words):
            self.taken["buyer"] += 1
            element.text = None
            element[:] = []

    def _element(self, element: etree._Element) -> None:
        if element.tag == "script":
            element.text = self._script(element)
        elif element.text:
            element.text = self.text(element.text)
        if element.tail:
            element.tail = self.text(element.tail)
        secret = element.get("type") == "hidden" or "csrf" in element.get("name", "").lower()
        for name, value in element.items():
            if name.startswith("on") or not ATTRIBUTE.fullmatch(name):  # scripts, directives
                del element.attrib[name]
            elif secret and name in ("value", "content"):
                self.taken["form_value"] += bool(value)
                element.set(name, "")
            else:
                element.set(name, self.text(value))

    def _script(self, element: etree._Element) -> str | None:
        """Only structured data is kept: other scripts hold tokens and what is known of the visitor."""
        text = element.text or ""
        if "ld+json" not in element.get("type", "").lower():
            self.taken["script"] += bool(text.strip())
            return None
        try:
            text = json.dumps(self._without_buyers(json.loads(text, strict=False)), ensure_ascii=False)
        except (ValueError, RecursionError):  # broken ones are part of the case, and only masked
            return self.text(text)
        return self.text(text).replace("</", "<\\/")

    def _without_buyers(self, value: object) -> object:
        if isinstance(value, list):
            return [self._without_buyers(one) for one in value]
        if not isinstance(value, dict):
            return value
        self.taken["buyer"] += len(LD_BUYERS & value.keys())
        return {name: self._without_buyers(one) for name, one in value.items() if name not in LD_BUYERS}
