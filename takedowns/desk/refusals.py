"""What the services refuse, in one place: the desk shows the reason and keeps what was typed."""

from __future__ import annotations

from collections.abc import Callable
from gettext import NullTranslations

from classifiers.yamlfile import ConfigError
from takedowns.desk.words import WORDS
from takedowns.leads import LeadError
from takedowns.letters import LetterError
from takedowns.notices import NoticeError
from takedowns.review import ReviewError
from takedowns.roles import NotAllowedError

REFUSALS = (ReviewError, LeadError, NoticeError, LetterError, NotAllowedError, ConfigError)
Refusal = ReviewError | LeadError | NoticeError | LetterError | NotAllowedError | ConfigError
# Their own text says which one, which file or which line.
DETAILED = frozenset(
    {"config", "lead_not_ready", "lead_state", "letter", "notice", "notice_state", "task_state"}
    | {"too_many_leads"}
)


def code(refusal: Refusal) -> str:
    return "config" if isinstance(refusal, ConfigError) else refusal.code


def sentence(translations: NullTranslations) -> Callable[[Refusal], str]:
    def told(refusal: Refusal) -> str:
        """The reason in the reader's language; one without words in the service's own."""
        known = WORDS["refusal"].get(code(refusal))
        if known is None:
            return str(refusal)
        words = translations.gettext(known)
        return f"{words} ({refusal})" if code(refusal) in DETAILED else words

    return told
