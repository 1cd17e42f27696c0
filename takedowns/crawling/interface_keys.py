"""The keys of interfaces on their way to the crawl that needs them: by its environment, and no other's.

They stand in our own environment or in the file that ``crawl.keys`` in ``vapewatch.yml`` names: a line
``NAME=value`` each, ``#`` for remarks. What the environment holds goes before the file, unless it is empty.
"""

from __future__ import annotations

import difflib
import os
import stat
from pathlib import Path

from classifiers.yamlfile import ConfigError
from crawlers.apis.keys import KEYS, variables
from crawlers.platforms import Platform

KNOWN = frozenset(name for interface in KEYS for name in variables(interface))


def environment_for(platform: Platform, file: Path | None) -> dict[str, str]:
    """The environment of a crawl of ``platform``: ours, with no keys in it but those of its interface.

    Raises ConfigError for a file that cannot be used, but only where its keys are needed.
    """
    needed = variables(platform.api.interface) if platform.road == "api" and platform.api else ()
    keys = _all_keys(file) if needed else {}
    bare = {name: value for name, value in os.environ.items() if name not in KNOWN}
    return bare | {name: keys[name] for name in needed if name in keys}


def missing(file: Path | None) -> list[str]:
    """The interfaces that cannot be asked for want of keys. Raises ConfigError."""
    there = _all_keys(file).keys()
    return [interface for interface in KEYS if not there >= set(variables(interface))]


def _all_keys(file: Path | None) -> dict[str, str]:
    ours = {name: os.environ[name] for name in KNOWN if os.environ.get(name, "").strip()}
    return (read_keys_file(file) if file else {}) | ours


def read_keys_file(path: Path) -> dict[str, str]:
    """Raises ConfigError naming every fault; no message repeats a value."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}:1:1: (file): cannot be read: {type(error).__name__}"]) from error
    if mode & 0o077:
        raise ConfigError([f"{path}:1:1: (file): others may read it (mode {mode:o}); chmod 600"])
    written = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    parts = [(number, *line.partition("=")) for number, line in written if line and not line.startswith("#")]
    pairs = [(number, name.strip(), value.strip()) for number, name, _, value in parts]
    if faults := [f"{path}:{number}:1: {_fault(name)}" for number, name, _ in pairs if name not in KNOWN]:
        raise ConfigError(faults)
    return {name: value for _, name, value in pairs if value}


def _fault(name: str) -> str:
    """A line without a known name may be a bare key, so it is not quoted unless it is nearly a name."""
    guess = difflib.get_close_matches(name, sorted(KNOWN), n=1, cutoff=0.8)
    return f"{name}: unknown; did you mean {guess[0]}?" if guess else "(line): names no key that is known"
