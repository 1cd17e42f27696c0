"""Sitemaps, robots.txt and feeds of every kind, broken and hostile ones too."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import directories
from crawlers.directories import Directory, Entry, read_directory

HOME = "https://shop.example"
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
URLSET = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset {NAMESPACE} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
 <url><loc> {HOME}/products/a?x=1&amp;y=2 </loc><lastmod>2026-11-01</lastmod>
  <image:image><image:loc>{HOME}/a.jpg</image:loc></image:image></url>
 <url><loc>/products/b</loc></url>
 <url><lastmod>2026-11-01</lastmod></url>
 <url><loc>javascript:alert(1)</loc></url>
 <url><loc>http://[broken</loc></url>
</urlset>""".encode()
ENTRIES = (Entry(f"{HOME}/products/a?x=1&y=2", "2026-11-01T00:00:00"), Entry(f"{HOME}/products/b"))
INDEX = f"""<sitemapindex {NAMESPACE}>
 <sitemap><loc>{HOME}/old.xml</loc><lastmod>2020-01-01</lastmod></sitemap>
 <sitemap><loc>{HOME}/new.xml.gz</loc><lastmod>2026-01-01T00:00:00Z</lastmod></sitemap>
</sitemapindex>""".encode()
RSS = f"""<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><link>{HOME}</link>
 <item><title>x</title><link>{HOME}/product/a/</link><pubDate>Sun, 01 Nov 2026 08:00:00 +0800</pubDate></item>
 <item><g:id>7</g:id><g:link>{HOME}/product/b/</g:link></item>
 <item><title>no link</title></item>
</channel></rss>""".encode()
ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="{HOME}"/>
 <entry><link rel="self" href="{HOME}/x"/><link rel="alternate" href="/products/a"/>
 <updated>2026-11-01T00:00:00Z</updated></entry>
</feed>""".encode()


@pytest.mark.parametrize("body", [URLSET, gzip.compress(URLSET)])
def test_a_sitemap_gives_its_addresses_plain_or_compressed(body):
    assert read_directory(body, f"{HOME}/sitemap.xml") == Directory(entries=ENTRIES)


def test_an_index_gives_its_sitemaps_the_newest_first():
    found = read_directory(INDEX, f"{HOME}/sitemap.xml")
    assert found == Directory(files=(f"{HOME}/new.xml.gz", f"{HOME}/old.xml"))


def test_robots_txt_gives_its_sitemap_lines_and_no_rule():
    text = b"User-agent: *\nDisallow: /cart\nSITEMAP: /a.xml\nSitemap:https://shop.example/b.xml\n"
    found = read_directory(text, f"{HOME}/robots.txt")
    assert found == Directory(files=(f"{HOME}/a.xml", f"{HOME}/b.xml"))


def test_feeds_give_the_links_of_their_entries():
    assert read_directory(RSS, f"{HOME}/feed") == Directory(
        entries=(Entry(f"{HOME}/product/a/", "2026-11-01T08:00:00+08:00"), Entry(f"{HOME}/product/b/"))
    )
    assert read_directory(ATOM, f"{HOME}/feed").entries == (
        Entry(f"{HOME}/products/a", "2026-11-01T00:00:00+00:00"),
    )


LAUGHS = b"""<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d SYSTEM "file:///etc/passwd">]>
<urlset><url><loc>https://shop.example/&c;&d;</loc></url></urlset>"""


@pytest.mark.parametrize(
    "body", [b"", b"\x1f\x8b\x08 broken", b"<html><a href=x>", b"{}", b"\x00" * 100, b"<urlset"]
)
def test_what_is_no_directory_is_an_empty_one(body):
    assert read_directory(body, f"{HOME}/sitemap.xml") == Directory()


def test_no_entity_is_resolved():
    found = read_directory(LAUGHS, f"{HOME}/sitemap.xml")
    assert "root:" not in repr(found)
    assert len(repr(found)) < 500


def test_a_gzip_bomb_is_not_unfolded(monkeypatch):
    monkeypatch.setattr(directories, "UNFOLDED_LIMIT", 10_000)
    bomb = gzip.compress(URLSET.replace(b"</urlset>", b" " * 1_000_000 + b"</urlset>"))
    assert read_directory(bomb, f"{HOME}/sitemap.xml") == Directory()


def test_addresses_without_end_are_cut(monkeypatch):
    monkeypatch.setattr(directories, "ENTRY_LIMIT", 10)
    many = "".join(f"<url><loc>{HOME}/{n}</loc></url>" for n in range(100))
    assert len(read_directory(f"<urlset>{many}</urlset>".encode(), f"{HOME}/s.xml").entries) == 10
    lines = "".join(f"Sitemap: /{n}.xml\n" for n in range(100))
    assert len(read_directory(lines.encode(), f"{HOME}/robots.txt").files) == 10


@given(st.binary() | st.text().map(lambda text: f"<urlset><url><loc>{text}</loc></url></urlset>".encode()))
def test_no_body_whatever_breaks_the_reading(body):
    found = read_directory(body, f"{HOME}/sitemap.xml")
    assert all(entry.url.startswith("http") for entry in found.entries)
