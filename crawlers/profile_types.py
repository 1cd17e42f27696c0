"""The kinds of text that stand in a profile, each refused with the reason when it cannot work."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from crawlers.selectors import compiled


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _names_an_id(pattern: str) -> str:
    if "id" not in re.compile(pattern).groupindex:
        raise ValueError("needs a group named id: (?P<id>…)")
    return pattern


def _selects(css: str) -> str:
    compiled(css)
    return css


def _selects_elements(css: str) -> str:
    if "::" in css:
        raise ValueError("must select elements, without ::text or ::attr()")
    return css


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def holding(*names: str) -> AfterValidator:
    """Checks that a template holds ``{name}`` for each, and nothing else but perhaps {home}."""

    def check(template: str) -> str:
        found = set(re.findall(r"\{(\w*)\}", template))
        if missing := [name for name in names if name not in found]:
            raise ValueError("needs " + " and ".join(f"{{{name}}}" for name in missing))
        if unknown := found - {*names, "home"}:
            raise ValueError("knows no " + " and ".join(f"{{{name}}}" for name in sorted(unknown)))
        return template

    return AfterValidator(check)


Regex = Annotated[str, AfterValidator(_compiles)]
IdRegex = Annotated[str, AfterValidator(_compiles), AfterValidator(_names_an_id)]
Css = Annotated[str, Field(min_length=1), AfterValidator(_selects)]
ElementCss = Annotated[Css, AfterValidator(_selects_elements)]
IdRegexes = Annotated[tuple[IdRegex, ...], BeforeValidator(_several)]
Template = Annotated[str, holding()]
