"""Reading ``config/``: which folder it is, and each file in it validated with file:line:column errors."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from classifiers import yamlfile
from crawlers.platforms import Platform
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
    return {path.stem: _platform(path) for path in sorted((config / "platforms").glob("*.yml"))}


def _platform(path: Path) -> Platform:
    platform = yamlfile.load(path, Platform)
    if platform.name != path.stem:
        raise yamlfile.ConfigError([f"{path}:1:1: name: must be {path.stem!r}, like the file"])
    return platform


def platform_named(known: dict[str, Platform], name: str) -> Platform:
    """Return the profile called ``name``; raise :class:`UnknownPlatformError` with the nearest name."""
    if name in known:
        return known[name]
    guess = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {guess[0]}?" if guess else f"known are {', '.join(sorted(known))}"
    raise UnknownPlatformError(f"no platform is called {name!r}; {hint}")
