"""CPU of a crawl beside two bare Scrapy spiders, on the same pages in the same run; ratios are what counts.

    python bench/crawl.py [--pages 1000] [--rounds 5] [--memory 20000]

Pages of 60 KB (JSON-LD, a little microdata, reviews, recommendations) from a local server, no delay, eight
requests at a time, robots.txt answered 404. Each crawl is a fresh process, which measures its own CPU from
before the crawl to its end (imports left out, Scrapy's start of some 0.4 s left in) and its peak memory:

    empty      Scrapy, a spider that parses nothing
    css        Scrapy, a spider that reads nine fields with CSS selectors
    ours       our recheck: robots, politeness, walls, presence, eight of the fields and more from structured
               data, a sighting a line
    seller     the same with a profile that also wants the seller's id and kind by selector, as those we ship
    tree       the same with a selector that only a tree can answer
    evidence   as seller, and every page kept as a WARC record

All run with ``CONCURRENT_ITEMS`` 1: at its default of 100 Scrapy starts a hundred tasks for every page, which
would make the bare spiders dearer than they need be.

``--memory N``: one more ``evidence`` crawl of N pages, and its peak memory at a tenth, half and all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import scrapy
from scrapy.crawler import AsyncCrawlerProcess

from crawlers.__main__ import crawl
from crawlers.platforms import Platform
from crawlers.recorder import Recorder
from crawlers.rundir import CrawlJob, RunKind, Target

SIZE = 60_000  # bytes of a page
DISTINCT = 200  # pages the server makes; ids beyond share them, but for the id
AT_A_TIME = 8
LETTERS = "家用静音便携医用级细雾颗粒儿童成人老人通用新款升级智能充电手持车载果味清凉薄荷蓝莓"
BARE = ("empty", "css")
SELLER = {
    "seller_id": {"css": "a.shop-name::attr(data-shop-id)", "required": True},
    "seller_kind": {"css": "a.shop-name::attr(data-shop-kind)", "required": True},
}
WANTED = {
    "ours": {},
    "seller": SELLER,
    "tree": {"seller_id": {"css": ".seller a.shop-name::attr(data-shop-id)"}},
    "evidence": SELLER,
}
VARIANTS = (*BARE, *WANTED)
GOALS = {
    ("ours", "css"): 0.4,
    ("seller", "css"): 0.4,
    ("tree", "css"): 0.4,
    ("seller", "empty"): 1.7,
    ("evidence", "css"): 0.6,
}
PROFILE = {
    "name": "bench",
    "title": "量具",
    "title_en": "Bench",
    "verified": True,
    "road": "page",
    "listing_url": {"match": r"/item/(?P<id>\d+)$", "canonical": "{home}/item/{id}"},
    "currency": "CNY",
    "search": {"url": "{home}/s?q={term}&page={page}", "pages": 1, "item_links": "a", "terms": ["x"]},
    "fields": {
        "title": {"css": "h1.product-title", "required": True},
        "price": {"css": ".price-box .price"},
        "seller": {"css": "a.shop-name", "required": True},
        "description": {"css": ".desc"},
    },
    "presence": {
        "alive": [{"css": "button.add-cart"}],
        "sold_out": [{"css": ".sold-out", "text": "已售罄"}],
        "gone": [{"css": ".notice-gone", "text": "商品不存在"}],
        "elsewhere": ["^/$"],
    },
    "blocks": [
        {"reason": "captcha", "css": "#captcha", "text": "滑动验证"},
        {"reason": "login_wall", "css": "form.login"},
    ],
    "politeness": {"delay_s": 0, "daily_requests": 100_000},
    "lead": {"channel": "manual", "recipient": "x"},
}


def page(number: int) -> bytes:
    """A product page; its id stands in it as ``@ID@``."""
    rng = random.Random(number)

    def words(length: int) -> str:
        return "".join(rng.choices(LETTERS, k=length))

    title = f"{words(12)} {number}"
    product = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": title,
        "sku": "@ID@",
        "image": [f"/img/{number}_{n}.jpg" for n in range(5)],
        "description": words(150),
        "brand": {"@type": "Brand", "name": words(3)},
        "offers": {
            "@type": "Offer",
            "price": f"{number + 10}.00",
            "priceCurrency": "CNY",
            "availability": "https://schema.org/InStock",
            "seller": {"@type": "Organization", "name": f"{words(4)}店", "url": f"/shop/{number % 97}"},
        },
    }
    parts = [
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title} - 市集</title>',
        f'<link rel="canonical" href="/item/@ID@"><meta property="og:title" content="{title}">',
        f'<script type="application/ld+json">{json.dumps(product, ensure_ascii=False)}</script>',
        f"<script>window.cfg=[{','.join(str(rng.randint(0, 9)) for _ in range(1200))}]</script><style>",
        *(f".c{n}{{margin:{n}px;color:#{n:06x}}}" for n in range(120)),
        "</style></head><body><nav><ul>",
        *(f'<li class="n"><a href="/c/{n}" data-spm="a{n}.b">{words(4)}</a></li>' for n in range(60)),
        '</ul></nav><main itemscope itemtype="https://schema.org/Product">',
        f'<h1 class="product-title" itemprop="name">{title}</h1>',
        f'<div class="price-box"><i>￥</i><span class="price" itemprop="price">{number + 10}.00</span></div>',
        f'<div class="seller"><a class="shop-name" data-shop-id="{number % 97}" data-shop-kind="merchant"',
        f' href="/shop/{number % 97}">',
        f"{words(4)}店</a></div>",
        f'<div class="meta"><span class="sku">@ID@</span><b class="rc">{rng.randint(0, 9000)}</b></div>',
        '<button class="add-cart">加入购物车</button><div class="gallery">',
        *(f'<img itemprop="image" src="/img/{number}_{n}.jpg" alt="{title}">' for n in range(5)),
        f'</div><div class="desc" itemprop="description"><p>{words(150)}</p><p>{words(200)}</p></div><table>',
        *(f"<tr><th>{words(3)}</th><td>{words(6)}</td></tr>" for _ in range(20)),
        "</table></main>",
    ]
    size = sum(len(part.encode()) for part in parts)
    for n in range(10_000):
        if size > SIZE - 300:
            break
        parts.append(
            f'<div class="review" id="r{n}"><img src="/u/{n}.png" alt=""><span>用户{n}</span>'
            f'<time datetime="2026-09-11">9月</time><p class="rt">{words(40)}</p><a href="#">赞</a></div>'
            if n % 2
            else f'<div class="rec"><a href="/item/9{n}"><img loading="lazy" src="/img/x{n}.jpg">'
            f'<span class="t">{words(8)}</span><span class="p">￥{n}</span></a></div>'
        )
        size += len(parts[-1].encode())
    return "".join([*parts, "</body></html>"]).encode()


class FastServer(asyncio.Protocol):
    pages: tuple[bytes, ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, self.received = self.received.split(b"\r\n\r\n", 1)
            self.transport.write(self.answer(head.split(b" ", 2)[1].rsplit(b"/", 1)[-1]))

    def answer(self, name: bytes) -> bytes:
        if not name.isdigit():
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        body = self.pages[int(name) % DISTINCT].replace(b"@ID@", name)
        head = f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}"
        return b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n\r\n" + body


async def serve() -> None:
    FastServer.pages = tuple(map(page, range(DISTINCT)))
    server = await asyncio.get_running_loop().create_server(FastServer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Empty(scrapy.Spider):
    name = "empty"
    home = ""
    pages = 0
    read = 0

    async def start(self):
        for number in range(self.pages):
            yield scrapy.Request(f"{self.home}/item/{number + 1000}")

    def parse(self, response):  # noqa: ARG002 - it parses nothing
        type(self).read += 1


class Css(Empty):
    """The tutorial's way."""

    name = "css"

    def parse(self, response):
        type(self).read += 1
        css = response.css
        yield {
            "title": css("h1.product-title::text").get(),
            "price": css(".price-box .price::text").get(),
            "seller": css("a.shop-name::text").get(),
            "seller_id": css("a.shop-name::attr(data-shop-id)").get(),
            "seller_url": css("a.shop-name::attr(href)").get(),
            "sku": css(".meta .sku::text").get(),
            "images": css(".gallery img::attr(src)").getall(),
            "description": " ".join(css(".desc p::text").getall()),
            "up": css("button.add-cart").get() is not None,
        }


class Unproved(Recorder):
    """Keeps no page."""

    def page(self, *_: object) -> tuple[datetime, str]:
        return self._clock.now(), "evidence/none#none"


class Proved(Recorder):
    """Notes its peak memory (MB) at every hundredth page."""

    peaks: ClassVar[list[float]] = []

    def page(self, *told: object) -> tuple[datetime, str]:
        kept = super().page(*told)
        if self.counters["pages"] % 100 == 0:
            self.peaks.append(peak_mb())
        return kept


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_bare(spider: type[Empty], home: str, pages: int) -> int:
    spider.home, spider.pages = home, pages
    settings = {
        "LOG_LEVEL": "ERROR",
        "TELNETCONSOLE_ENABLED": False,
        "CONCURRENT_REQUESTS": AT_A_TIME,
        "CONCURRENT_REQUESTS_PER_DOMAIN": AT_A_TIME,
        "CONCURRENT_ITEMS": 1,
        "DOWNLOAD_DELAY": 0,
    }
    process = AsyncCrawlerProcess(settings)
    process.crawl(spider)
    process.start()
    return spider.read


def run_ours(recorder_of: type[Recorder], fields: dict[str, object], home: str, pages: int) -> int:
    targets = [Target(item_id=str(n), url=f"{home}/item/{n}", title=None) for n in range(1000, 1000 + pages)]
    job = CrawlJob(
        run_id="bench",
        kind=RunKind.RECHECK,
        platform=Platform.model_validate(PROFILE | {"home": home, "fields": fields}),
        targets=tuple(targets),
        contact="ops@bureau.example",
    )
    with tempfile.TemporaryDirectory() as folder:
        recorder = recorder_of(Path(folder), job)
        recorder.finish(crawl(job, recorder))
        return recorder.counters["sightings_up"]


def one(variant: str, home: str, pages: int) -> None:
    """In the child: crawl and print one line of JSON."""
    began = cpu()
    if variant in BARE:
        read = run_bare({"empty": Empty, "css": Css}[variant], home, pages)
    else:
        recorder_of = Proved if variant == "evidence" else Unproved
        read = run_ours(recorder_of, PROFILE["fields"] | WANTED[variant], home, pages)
    print(json.dumps({"read": read, "cpu": cpu() - began, "peaks": [*Proved.peaks, peak_mb()]}))


def measured(variant: str, home: str, pages: int) -> tuple[float, list[float]]:
    """CPU-s per 1,000 pages, and the peaks of memory (MB), the last one at the end."""
    command = [sys.executable, __file__, "--one", variant, "--home", home, "--pages", str(pages)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode:
        sys.exit(f"{variant} failed:\n{child.stderr[-3000:]}")
    result = json.loads(child.stdout.strip().splitlines()[-1])
    if result["read"] != pages:
        sys.exit(f"{variant} read {result['read']} of {pages} pages:\n{child.stderr[-3000:]}")
    return result["cpu"] / pages * 1000, result["peaks"]


def compare(home: str, pages: int, rounds: int) -> None:
    print(f"{pages} pages, {rounds} rounds, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    costs: dict[str, list[float]] = {name: [] for name in VARIANTS}
    peaks: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(rounds):
        for name in VARIANTS:  # in turn, so that a busy minute falls on all of them
            cost, (*_, peak) = measured(name, home, pages)
            costs[name].append(cost)
            peaks[name].append(peak)
    for name, found in costs.items():
        spread = f"{min(found):.2f} to {max(found):.2f}"
        peak = statistics.median(peaks[name])
        print(f"{name:9} {statistics.median(found):6.2f} CPU-s per 1,000 pages ({spread}), {peak:.0f} MB")
    for (ours, peer), goal in GOALS.items():
        ratio = statistics.median(a / b for a, b in zip(costs[ours], costs[peer], strict=True))
        print(f"{ours} / {peer}: {ratio:.2f} (goal {goal})")


def memory(home: str, pages: int) -> None:
    _, peaks = measured("evidence", home, pages)
    places = {
        f"{pages // 10} pages": len(peaks) // 10 - 1,
        f"{pages // 2}": len(peaks) // 2 - 1,
        "the end": -1,
    }
    told = ", ".join(f"{peaks[place]:.0f} MB at {name}" for name, place in places.items())
    print(f"{pages} pages with evidence, peak memory: {told}")


def served() -> Iterator[str]:
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--home", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve())
    elif asked.one:
        one(asked.one, asked.home, asked.pages)
    else:
        for home in served():
            compare(home, asked.pages, asked.rounds)
            if asked.memory:
                memory(home, asked.memory)


if __name__ == "__main__":
    main()
