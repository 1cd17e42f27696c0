from __future__ import annotations

import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from takedowns import desk
from takedowns.desk.i18n import LOCALE, catalogues

HERE = Path(desk.__file__).parent
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def chinese() -> Catalog:
    with (LOCALE / "zh_Hans_CN" / "LC_MESSAGES" / "desk.po").open("rb") as source:
        return read_po(source, locale="zh_Hans_CN", abort_invalid=True)


def test_every_message_has_its_chinese() -> None:
    for message in chinese():
        if message.id:
            assert all([message.string] if isinstance(message.string, str) else message.string), message.id
            assert not message.fuzzy, message.id


def test_the_catalogue_holds_exactly_what_the_code_says() -> None:
    with (LOCALE / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
    found = extract_from_dir(HERE, methods, options, keywords)
    assert {entry[2] for entry in found} == {message.id for message in chinese() if message.id}


def test_a_translation_keeps_the_placeholders() -> None:
    for message in chinese():
        sources = [message.id] if isinstance(message.id, str) else message.id
        targets = [message.string] if isinstance(message.string, str) else message.string
        for target in targets:
            assert set(PLACEHOLDER.findall(target)) == set(PLACEHOLDER.findall(sources[-1])), message.id


def test_both_languages_are_there_without_a_compiled_file() -> None:
    found = catalogues()
    assert found["en"].gettext("Queue") == "Queue"
    assert found["zh"].gettext("Queue") == "审核台"
    assert not list(LOCALE.rglob("*.mo"))
