"""Is everything there that the work needs? One line a part, each failure with what to do about it."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import classifiers
from takedowns import configuration
from takedowns.crawling import interface_keys
from takedowns.ledger.engine import open_ledger
from takedowns.papers import fonts, pdf


class Check(NamedTuple):
    name: str
    ok: bool
    detail: str


def examine(config: Path) -> list[Check]:
    """Try every part for real: open the ledger, greet the mail server, load the model."""
    parts: dict[str, Callable[[Path], str]] = {
        "settings": _settings,
        "platforms": _platforms,
        "keys": _keys,
        "ledger": _ledger,
        "mail": _mail,
        "model": _model,
        "browser": lambda _: _browser(),
        "letters": lambda _: _letters(),
    }
    return [_check(name, part, config) for name, part in parts.items()]


def _check(name: str, part: Callable[[Path], str], config: Path) -> Check:
    try:
        return Check(name, True, part(config))
    except Exception as error:  # noqa: BLE001  (whatever is wrong with a part is this report's content)
        return Check(name, False, str(error) or type(error).__name__)


def _settings(config: Path) -> str:
    configuration.settings(config)
    return str(config)


def _platforms(config: Path) -> str:
    found = configuration.platforms(config)
    if not found:
        raise LookupError(f"no platform in {config / 'platforms'}")
    untried = sum(not platform.verified for platform in found.values())
    return f"{len(found)} profiles, {untried} not tried live"


def _keys(config: Path) -> str:
    missing = interface_keys.missing(configuration.settings(config).crawl.keys)
    return f"none for {', '.join(missing)}" if missing else "for every interface"


def _ledger(config: Path) -> str:
    settings = configuration.settings(config)
    settings.var.mkdir(parents=True, exist_ok=True)
    ledger = open_ledger(settings.ledger)
    ledger.close()
    return settings.ledger


def _mail(config: Path) -> str:
    mail = configuration.settings(config).mail
    try:
        with smtplib.SMTP(mail.host, mail.port, timeout=mail.timeout_s) as server:
            server.noop()
    except OSError as error:
        raise ConnectionError(f"no mail server answers at {mail.host}:{mail.port} ({error})") from error
    return f"{mail.host}:{mail.port}"


def _model(config: Path) -> str:
    classifier = classifiers.load(config / "lexicon", configuration.settings(config).classifier.model)
    return f"model {classifier.model_version}, lexicon {classifier.lexicon_version}"


def _browser() -> str:
    from crawlers import browser  # brings Scrapy and Playwright along, which no other command needs

    return str(browser.chromium())


def _letters() -> str:
    fonts.printable("烟")
    pdf.library()
    return ", ".join(fonts.FAMILIES)
