"""A page that strangers wrote, made safe to be opened: as it was, but for everything that acts."""

from __future__ import annotations

from lxml import etree

from crawlers.answer import Answer

ACTIVE = (
    *("script", "noscript", "template", "iframe", "frame", "frameset", "object", "embed", "applet", "portal"),
    *("base", "link", "meta", "form", "audio", "video", "source", "track"),
)
LOADING = frozenset(
    {"src", "srcset", "href", "xlink:href", "background", "poster", "data", "action", "formaction", "ping"}
)
# Should something have slipped through, the browser itself refuses to run or to fetch it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
HEAD = (
    '<!doctype html>\n<meta charset="utf-8">\n'
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
)
ADDRESS_LIMIT = 2000


def viewable(answer: Answer) -> bytes:
    """The page as UTF-8 HTML that runs nothing, fetches nothing and leads nowhere."""
    tree = answer.tree
    etree.strip_elements(tree, *ACTIVE, with_tail=False)
    for element in tree.iter(etree.Element):
        _disarm(element)
    return HEAD.encode() + bytes(etree.tostring(tree, method="html", encoding="utf-8"))


def _disarm(element: etree._Element) -> None:
    """Addresses stay to be read, under names that mean nothing to a browser."""
    for name, value in list(element.attrib.items()):
        plain = str(name).rpartition("}")[2].lower()
        if plain.startswith("on") or plain in LOADING:
            del element.attrib[name]
        if plain in ("src", "href"):
            element.set(f"data-{plain}", str(value)[:ADDRESS_LIMIT])
