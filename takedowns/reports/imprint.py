"""Who issues a report and what its platforms are called; the figures know neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from takedowns.reports.definitions import Lang, Phrase, wording
from takedowns.reports.text import visible


@dataclass(frozen=True)
class Imprint:
    """``titles`` maps a platform's name to its title; one that is not in it goes by its name."""

    office: Phrase | None = None
    titles: Mapping[str, Phrase] = field(default_factory=dict)

    def title(self, platform: str | None, lang: Lang) -> str:
        """The title shown; None stands for all platforms."""
        if platform is None:
            return wording().labels["all_platforms"].in_(lang)
        title = self.titles.get(platform)
        return visible(title.in_(lang) if title else platform)
