"""The keyboard map, for the help page and the tests; ``keys.js`` clicks the buttons that carry these keys."""

from __future__ import annotations

from dataclasses import dataclass

from takedowns.desk.i18n import N_


@dataclass(frozen=True)
class Key:
    """``decides``: pressing it changes the item, so it counts only once the shown item has settled."""

    key: str
    does: str
    decides: bool = False


KEYS = {
    "confirm": Key("A", N_("Confirm the violation"), decides=True),
    "dismiss": Key("X", N_("Not violating: then pick the reason by its number"), decides=True),
    "skip": Key("N", N_("Skip: someone else gets it"), decides=True),
    "undo": Key("Z", N_("Undo your last decision"), decides=True),
    "next": Key("J", N_("Next item or row, no decision")),
    "previous": Key("K", N_("Previous item or row, no decision")),
    "category": Key("1–5", N_("Kind of violation")),
    "open": Key("Enter", N_("Open the row")),
    "note": Key("M", N_("Write a note")),
    "leave": Key("Esc", N_("Leave a field, close a list")),
    "help": Key("?", N_("These shortcuts")),
}
