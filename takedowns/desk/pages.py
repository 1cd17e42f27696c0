"""The template environments, one per language, and the few filters that pages need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from gettext import NullTranslations
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crawlers.platforms import Platform
from takedowns.desk.i18n import LANGUAGES, catalogues
from takedowns.desk.keys import KEYS
from takedowns.desk.marks import shortened
from takedowns.desk.refusals import sentence
from takedowns.desk.words import WORDS
from takedowns.settings import Settings

TEMPLATES = Path(__file__).with_name("templates")
ZONE = ZoneInfo("Asia/Shanghai")


def environments(settings: Settings, platforms: Mapping[str, Platform]) -> dict[str, Environment]:
    """Language → templates in it. Unknown names in a template are errors, every value is escaped."""
    return {
        lang: _environment(lang, translations, settings, platforms)
        for lang, translations in catalogues().items()
    }


def shanghai(moment: datetime) -> datetime:
    return moment.astimezone(ZONE)


def _environment(
    lang: str, translations: NullTranslations, settings: Settings, platforms: Mapping[str, Platform]
) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        lang=lang,
        html_lang="zh-Hans-CN" if lang == "zh" else lang,
        office=settings.office.name_zh if lang == "zh" else settings.office.name_en,
        keys=KEYS,
    )
    environment.tests["untried"] = lambda name: name in platforms and not platforms[name].verified
    environment.tests["web_address"] = lambda url: url.startswith(("https://", "http://"))
    environment.filters.update(
        platform=_platform_title(lang, platforms),
        word=_word(translations),
        translated=translations.gettext,
        when=lambda moment: f"{shanghai(moment):%Y-%m-%d %H:%M}",
        ago=_ago(LANGUAGES[lang] or lang),
        short=shortened,
        removeprefix=str.removeprefix,
        refusal=sentence(translations),
        clock=lambda moment: f"{shanghai(moment):%Y-%m-%dT%H:%M}",
        month=lambda moment: f"{shanghai(moment):%Y-%m}",
    )
    return environment


def _word(translations: NullTranslations) -> Callable[[str, str], str]:
    def word(code: str, kind: str) -> str:
        """What people read for ``code``; a code without words (a newer lexicon's, say) stands for itself."""
        known = WORDS[kind].get(code)
        return translations.gettext(known) if known else str(code)

    return word


def _platform_title(lang: str, platforms: Mapping[str, Platform]) -> Callable[[str], str]:
    def title(name: str) -> str:
        platform = platforms.get(name)
        if platform is None:  # its file was taken away, its listings were not
            return name
        return platform.title if lang == "zh" else platform.title_en

    return title


def _ago(locale: str) -> Callable[[datetime, datetime], str]:
    def ago(moment: datetime, now: datetime) -> str:
        return format_timedelta(moment - now, add_direction=True, granularity="minute", locale=locale)

    return ago
