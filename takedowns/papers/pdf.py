"""The letter as PDF, set by WeasyPrint from a page of our own; sellers' words are text in it, no more."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import cast

import jinja2

from takedowns.letters import LetterError
from takedowns.papers import fonts
from takedowns.papers.letter import WORDS, Letter

MEDIA_TYPE = "application/pdf"
TEMPLATES = Path(__file__).parent / "templates"


class PdfError(LetterError):
    """This machine lacks what PDFs are made with; one sentence says what to install."""


def render(letter: Letter) -> bytes:
    """The same letter gives the same bytes. Raises PdfError, fonts.MissingFontError."""
    weasyprint = library()
    # Nothing may be fetched, and an attempt ends the printing: nothing that a seller wrote can make one.
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=(), fail_on_errors=True)
    page = weasyprint.HTML(string=_page(letter), url_fetcher=fetcher)
    style = weasyprint.CSS(string=(TEMPLATES / "letter.css").read_text(encoding="utf-8"), url_fetcher=fetcher)
    # Tags carry headings and table cells to those who have the letter read to them.
    return bytes(page.write_pdf(stylesheets=[style], pdf_tags=True))


def library() -> ModuleType:
    """WeasyPrint, loaded when a letter is printed: it takes a second. Raises PdfError."""
    try:
        with redirect_stdout(sys.stderr):  # where it writes its advice on what is missing
            import weasyprint
    except OSError as error:
        raise PdfError(f"Pango is missing: install libpango-1.0-0 and libpangoft2-1.0-0 ({error})") from error
    return cast("ModuleType", weasyprint)


def _page(letter: Letter) -> str:
    return _template().render(letter=letter, words=WORDS[letter.lang])


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # every value passes through here, and markup of our own never does
        finalize=lambda value: fonts.printable(value) if isinstance(value, str) else value,
    )
    return environment.from_string((TEMPLATES / "letter.html.j2").read_text(encoding="utf-8"))
