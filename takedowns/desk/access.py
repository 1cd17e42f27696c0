"""Who may use which route. A route that is not in the table is closed to everybody."""

from __future__ import annotations

from collections.abc import Mapping

from takedowns.ledger.vocabulary import Role
from takedowns.roles import REVIEWERS, SENIORS

EVERYONE = frozenset(Role)

# before sign-in; the last is called by machines, and each call is signed
PUBLIC = frozenset({"sign_in", "sign_in_submit", "set_preferences", "take_responses"})

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
    "recall_notice": REVIEWERS,
    "acknowledge_notice": REVIEWERS,
    "notice_file": REVIEWERS,
    "withdraw_lead": REVIEWERS,
    "record_handover": REVIEWERS,
    "networks": EVERYONE,
    "network": EVERYONE,
    "tracker": EVERYONE,
    "lead": EVERYONE,
    "enter_response": REVIEWERS,
    "tray": REVIEWERS,
    "match_stray": REVIEWERS,
    "dismiss_stray": REVIEWERS,
    "tips": REVIEWERS,
    "add_tip": REVIEWERS,
    "link_tip": REVIEWERS,
    "dismiss_tip": REVIEWERS,
    "handovers": REVIEWERS,
    "handover": REVIEWERS,
    "handover_file": SENIORS,
    "pack_handover": SENIORS,
    "send_handover": SENIORS,
    "handover_sent": SENIORS,
    "take_receipt": SENIORS,
    "answer_handover": SENIORS,
    "close_handover": SENIORS,
    "reports": EVERYONE,
    "report_file": EVERYONE,
}


def may_use(role: Role, route: str) -> bool:
    return role in ROLES.get(route, frozenset())
