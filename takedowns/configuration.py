"""Reading ``config/``: which folder it is, and each file in it validated with file:line:column errors."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from pydantic import BaseModel, Field

from classifiers import yamlfile
from crawlers.generic import extending
from crawlers.platforms import Platform
from crawlers.sampling import Panel
from takedowns.settings import Settings

SHIPPED = Path(__file__).resolve().parents[1] / "config"


class UnknownPlatformError(ValueError):
    """No file ``config/platforms/<name>.yml`` has this name."""


def folder() -> Path:
    """``VAPEWATCH_CONFIG`` if set, else ``config`` in the working folder, else the one that ships."""
    named = os.environ.get("VAPEWATCH_CONFIG")
    if named:
        return Path(named)
    return Path("config") if Path("config/vapewatch.yml").exists() else SHIPPED


def settings(config: Path) -> Settings:
    return yamlfile.load(config / "vapewatch.yml", Settings)


def platforms(config: Path) -> dict[str, Platform]:
    """Every profile by its name; the name must be the file's."""
    paths = sorted((config / "platforms").glob("*.yml"))
    known = {path.stem: platform_at(path) for path in paths}
    for path in paths:
        marketplace = known[path.stem].marketplace
        if marketplace is not None and marketplace not in known:
            raise yamlfile.ConfigError([f"{path}:1:1: marketplace: no platform is called {marketplace!r}"])
    return known


def platform_at(path: Path) -> Platform:
    """The profile in ``path``, completed by the one in ``generic/`` that it extends, if any."""
    platform = yamlfile.load(path, _model_of(path))
    if platform.name != path.stem:
        raise yamlfile.ConfigError([f"{path}:1:1: name: must be {path.stem!r}, like the file"])
    return Platform.model_validate(platform.model_dump(exclude_unset=True))


class _Child(BaseModel):
    extends: str | None = Field(default=None, pattern="^[a-z0-9-]+$")


class _Generic(BaseModel, extra="allow"):
    """Any keys of a profile; checked once a shop's own are added."""


def _model_of(path: Path) -> type[Platform]:
    if b"extends:" not in path.read_bytes():  # spares most files a second reading
        return Platform
    generic = yamlfile.load(path, _Child).extends
    if generic is None:
        return Platform
    known = sorted(file.stem for file in (path.parent / "generic").glob("*.yml"))
    if generic not in known:
        hint = ", ".join(known) or "none"
        raise yamlfile.ConfigError([f"{path}:1:1: extends: no profile {generic!r}; known are {hint}"])
    return extending(generic_profile(path.parent, generic))


def generic_profile(platforms: Path, name: str) -> dict[str, object]:
    """The keys of ``generic/<name>.yml`` in the folder ``platforms``, for a shop's own file to complete."""
    return yamlfile.load(platforms / "generic" / f"{name}.yml", _Generic).model_extra or {}


def panels(config: Path) -> dict[str, Panel]:
    """The query panel of each platform that the random arm measures; the file's name is the platform's."""
    return {path.stem: _panel(path) for path in sorted((config / "panels").glob("*.yml"))}


def _panel(path: Path) -> Panel:
    panel = yamlfile.load(path, Panel)
    if panel.platform != path.stem:
        raise yamlfile.ConfigError([f"{path}:1:1: platform: must be {path.stem!r}, like the file"])
    return panel


def platform_named(known: dict[str, Platform], name: str) -> Platform:
    """Return the profile called ``name``; raise :class:`UnknownPlatformError` with the nearest name."""
    if name in known:
        return known[name]
    guess = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {guess[0]}?" if guess else f"known are {', '.join(sorted(known))}"
    raise UnknownPlatformError(f"no platform is called {name!r}; {hint}")
