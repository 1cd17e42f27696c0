"""Judges a folder of real pages, which the project neither ships nor needs; for evaluation.

    python bench/pages.py FOLDER

Every ``*.html`` is taken for the answer, status 200, at its own canonical address: judged by the shipped
profile that its folder is named after where that has presence rules, else by a generic shop's. Printed are: a
table of kinds (``kind`` in the folder's ``manifest.json``, a list of ``{"file": …, "kind": …}``) × verdicts;
the pages taken for gone or for a wall, to be read one by one; where products were found, and whether reading
the source alone said the same as the tree; and the CPU of a page.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from crawlers.answer import Answer
from crawlers.pages import Reading, read_page
from crawlers.platforms import Platform
from crawlers.selectors import clean
from crawlers.structured import CANONICAL, LD_SCRIPTS
from takedowns import configuration

NOW = datetime(2026, 10, 1, tzinfo=UTC)
UNKNOWN = "http://shop.example/item"
GENERIC = Platform.model_validate(
    {
        "name": "generic",
        "title": "一般店铺",
        "title_en": "Some shop",
        "verified": False,
        "road": "page",
        "home": "http://shop.example",
        "listing_url": {"match": "^(?P<id>https?://.+)$", "canonical": "{id}"},
        "search": {"url": "{home}/?q={term}&p={page}", "pages": 1, "item_links": "a", "terms": ["x"]},
        "presence": {
            "alive": [
                {
                    "css": "form[action*=cart] button, form[action*=cart] input[type=submit], "
                    ".add-to-cart, #add-to-cart, .btn-cart, .addtocart, #add_to_cart, "
                    ".single_add_to_cart_button, #product-addtocart-button, #add-to-cart-button, "
                    "[itemprop=availability]"
                }
            ],
            "gone": [
                {
                    "css": "h1, h2, .error, .message, .notice",
                    "text": "(?i)no longer available|商品已下架|宝贝不存在",
                }
            ],
        },
        "lead": {"channel": "manual", "recipient": "x"},
    }
)


def page_of(path: Path) -> Answer:
    answer = Answer(UNKNOWN, UNKNOWN, 200, path.read_bytes(), {"content-type": "text/html"})
    url = answer.absolute(CANONICAL(answer.tree)) or UNKNOWN
    return replace(answer, url=url, requested_url=url)


def reading_of(answer: Answer, profiles: dict[str, Platform], folder: str) -> Reading:
    named = profiles.get(folder)
    platform = named if named and named.presence else GENERIC
    return read_page(answer, platform, platform.listing_url.item_id(answer.url) or "none", NOW)


def source_agrees(answer: Answer) -> str:
    found = answer.scan
    if found is None:
        return "left to the tree"
    title = answer.tree.find(".//title")
    by_tree = [script.text or "" for script in LD_SCRIPTS(answer.tree)]
    same = clean(found.title) == ("" if title is None else clean("".join(title.itertext())))
    return "the same" if same and list(found.ld_scripts) == by_tree else "ANOTHER"


def main(folder: Path) -> None:
    manifest = folder / "manifest.json"
    listed = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else []
    kinds = {entry["file"]: entry["kind"] for entry in listed}
    profiles = configuration.platforms(configuration.SHIPPED)
    table: Counter[tuple[str, str]] = Counter()
    sources: Counter[str] = Counter()
    agreement: Counter[str] = Counter()
    used = 0.0
    paths = sorted(folder.rglob("*.html"))
    for path in paths:
        answer = page_of(path)
        began = time.process_time()
        reading = reading_of(replace(answer), profiles, path.parent.name)
        used += time.process_time() - began
        verdict = f"{reading.judgement.state.value} {reading.judgement.reason}"
        name = str(path.relative_to(folder))
        table[kinds.get(name, "?"), verdict] += 1
        agreement[source_agrees(answer)] += 1
        if reading.listing:
            sources.update({f"{field} by {source}" for field, source in reading.listing.sources.items()})
        if reading.judgement.state in ("gone", "blocked"):
            print(f"{verdict}: {name} ({answer.page_title[:60]})")
    for (kind, verdict), count in sorted(table.items()):
        print(f"{kind:22} {verdict:24} {count}")
    print("title and JSON-LD by the source, beside the tree:", dict(agreement))
    print("fields of listings:", dict(sorted(sources.items())))
    print(f"{len(paths)} pages, {used / max(len(paths), 1) * 1000:.1f} CPU-ms a page")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
