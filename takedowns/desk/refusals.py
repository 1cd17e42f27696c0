"""What the services refuse, in one place: the desk shows the reason and keeps what was typed."""

from __future__ import annotations

from collections.abc import Callable
from gettext import NullTranslations

from classifiers.yamlfile import ConfigError
from takedowns.desk.words import WORDS
from takedowns.dispatches import DispatchError
from takedowns.handing_over.handovers import HandoverError
from takedowns.handing_over.package import PackageError
from takedowns.leads import LeadError
from takedowns.letters import LetterError
from takedowns.notices import NoticeError
from takedowns.replies.claims import ReplyError
from takedowns.review import ReviewError
from takedowns.roles import NotAllowedError
from takedowns.tips import TipError

REFUSALS = (
    ReviewError,
    LeadError,
    NoticeError,
    DispatchError,
    LetterError,
    NotAllowedError,
    ReplyError,
    TipError,
    HandoverError,
    PackageError,
    ConfigError,
)
Refusal = (
    ReviewError
    | LeadError
    | NoticeError
    | DispatchError
    | LetterError
    | NotAllowedError
    | ReplyError
    | TipError
    | HandoverError
    | PackageError
    | ConfigError
)
# Their own text says which one, which file or which line.
DETAILED = frozenset(
    {
        "config",
        "dispatch",
        "held",
        "lead_not_ready",
        "lead_state",
        "letter",
        "notice",
        "notice_state",
        "reply",
        "task_state",
    }
    | {"too_many_leads", "tip", "no_listing", "other_tip"}
    | {"handover", "handover_state", "package", "receipt"}
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
