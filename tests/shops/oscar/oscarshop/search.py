"""Whoosh takes a run of Chinese letters for one word; pairs of letters let 雾化 find 医用雾化器."""

from __future__ import annotations

from haystack.backends.whoosh_backend import WhooshEngine, WhooshSearchBackend
from whoosh.analysis import LowercaseFilter, NgramFilter, RegexTokenizer
from whoosh.fields import TEXT


class ChineseBackend(WhooshSearchBackend):
    def build_schema(self, fields):
        name, schema = super().build_schema(fields)
        pairs = RegexTokenizer() | LowercaseFilter() | NgramFilter(2, 2)
        schema.remove(name)
        schema.add(name, TEXT(stored=True, analyzer=pairs))
        return name, schema


class ChineseEngine(WhooshEngine):
    backend = ChineseBackend
