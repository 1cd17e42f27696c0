"""The secrets that profiles name: in the environment, or in a file each."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from takedowns.channels.parcel import SendError


def secret(name: str, folder: Path | None) -> str:
    """Raises SendError, which tells the name and never the secret."""
    if value := os.environ.get(name, "").strip():
        return value
    if folder is None:
        raise SendError(f"the secret {name} is missing: it is not in the environment", temporary=True)
    try:
        mode = stat.S_IMODE((folder / name).stat().st_mode)
        value = (folder / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SendError(
            f"the secret {folder / name} cannot be read: {type(error).__name__}", temporary=True
        ) from error
    if mode & 0o077:
        raise SendError(f"others may read {folder / name} (mode {mode:o}); chmod 600", temporary=True)
    if not value:
        raise SendError(f"the secret {folder / name} is empty", temporary=True)
    return value
