"""What every unit of work needs: settings, platforms, ledger, clock and classifier, opened once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import classifiers
from crawlers.platforms import Platform
from crawlers.sampling import Panel
from takedowns import configuration, contacts
from takedowns.evidence.store import Store
from takedowns.ledger.engine import Ledger, open_ledger
from takedowns.settings import Settings

if TYPE_CHECKING:
    from classifiers.classifier import Classifier


def real_time() -> datetime:
    return datetime.now(UTC)


@dataclass
class Context:
    config: Path
    settings: Settings
    platforms: dict[str, Platform]
    ledger: Ledger
    clock: Callable[[], datetime] = real_time

    @property
    def load_classifier(self) -> Callable[[], Classifier]:
        """What loads the classifier, also in another process."""
        chosen = self.settings.classifier
        return partial(classifiers.load, self.config / "lexicon", chosen.model, chosen.base_rate)

    @cached_property
    def classifier(self) -> Classifier:
        """Loaded at its first use: it takes a second or two."""
        return self.load_classifier()

    @cached_property
    def panels(self) -> dict[str, Panel]:
        """The random arm's panels by platform."""
        return configuration.panels(self.config)

    @property
    def runs(self) -> Path:
        return self.settings.var / "runs"

    @property
    def evidence(self) -> Store:
        return Store(self.settings.var / "evidence")

    @property
    def reports(self) -> Path:
        return self.settings.var / "reports"

    @property
    def simulated(self) -> bool:
        """True under a demo clock, which the crawler must be told of."""
        return self.clock is not real_time


def open_context(config: Path) -> Context:
    """Read the configuration and open the ledger, making its folder at the first start."""
    settings = configuration.settings(config)
    settings.var.mkdir(parents=True, exist_ok=True)
    ledger = open_ledger(settings.ledger, **contacts.session_info(settings))
    return Context(config, settings, configuration.platforms(config), ledger)
