"""Profiles for whole kinds of shops: a shop's own file says what is its own, the rest stands here."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import model_validator

from crawlers.platforms import Platform


def extending(generic: Mapping[str, object]) -> type[Platform]:
    """The model of a profile whose missing keys are those of ``generic``; ``{name}`` in them is its name.

    So a shop that runs on a known system is described by its name and its home alone.
    """

    class Extending(Platform):
        @model_validator(mode="before")
        @classmethod
        def _complete(cls, data: dict[str, object]) -> dict[str, object]:
            name = str(data.get("name", ""))
            given = {key: value for key, value in data.items() if key != "extends"}
            return {key: _named(value, name) for key, value in generic.items()} | given

    return Extending


def _named(value: object, name: str) -> object:
    return value.replace("{name}", name) if isinstance(value, str) else value
