"""What every channel carries, and how it says that it could not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from takedowns.ledger.vocabulary import DispatchKind

if TYPE_CHECKING:  # the outbox, which those who write letters use, would import them in turn
    from takedowns.enclosures import Enclosure


@dataclass(frozen=True)
class Parcel:
    """The content is the same at every attempt; whoever gets it twice knows it by ``key``."""

    key: str
    kind: DispatchKind
    # of the notice or the case file
    number: str
    recipient: str
    subject: str
    body: str
    files: tuple[Enclosure, ...]
    # number, item_id and url of each lead in it
    leads: tuple[Mapping[str, str], ...]
    at: datetime
    # the key of the notice that a reminder is about
    follows: str | None = None


class SendError(Exception):
    """It was not accepted, as far as we know; one sentence says why.

    ``temporary``: another attempt may succeed. ``may_have_arrived``: the receiver may have it all the same.
    """

    def __init__(self, message: str, *, temporary: bool, may_have_arrived: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary
        self.may_have_arrived = may_have_arrived
