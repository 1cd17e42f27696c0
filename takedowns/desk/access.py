"""Who may use which route. A route that is not in the table is closed to everybody."""

from __future__ import annotations

from collections.abc import Mapping

from takedowns.ledger.vocabulary import Role
from takedowns.roles import REVIEWERS, SENIORS

EVERYONE = frozenset(Role)

# before sign-in
PUBLIC = frozenset({"sign_in", "sign_in_submit", "set_preferences"})

ROLES: Mapping[str, frozenset[Role]] = {
    "start": EVERYONE,
    "finish_errand": EVERYONE,
    "settings": EVERYONE,
    "sign_out": EVERYONE,
    "sign_out_everywhere": EVERYONE,
    "queue": REVIEWERS,
    "item": REVIEWERS,
    "neighbour": REVIEWERS,
    "deal": REVIEWERS,
    "decide": REVIEWERS,
    "skip": REVIEWERS,
    "undo": REVIEWERS,
    "outbox": REVIEWERS,
    "notice": REVIEWERS,
    "draft_notice": REVIEWERS,
    "approve_notice": SENIORS,
    "cancel_notice": REVIEWERS,
    "send_notice": REVIEWERS,
    "record_handover": REVIEWERS,
    "tracker": EVERYONE,
    "lead": EVERYONE,
    "reports": EVERYONE,
    "report_file": EVERYONE,
}


def may_use(role: Role, route: str) -> bool:
    return role in ROLES.get(route, frozenset())
