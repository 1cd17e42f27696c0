"""The desk's two languages. Source strings are English.

The Chinese catalogue is compiled at start, in memory: no compiled file could be older than its source.
"""

from __future__ import annotations

import io
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).with_name("locale")
LANGUAGES = {"zh": "zh_Hans_CN", "en": None}
DEFAULT = "zh"


def N_(text: str) -> str:  # noqa: N802  (the name under which string extraction knows it)
    """Mark a string for the catalogue; it is translated where it is shown."""
    return text


def catalogues() -> dict[str, NullTranslations]:
    """Language → its translations."""
    return {lang: _compiled(locale) if locale else NullTranslations() for lang, locale in LANGUAGES.items()}


def _compiled(locale: str) -> GNUTranslations:
    with (LOCALE / locale / "LC_MESSAGES" / "desk.po").open("rb") as source:
        catalogue = read_po(source, locale=locale, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
