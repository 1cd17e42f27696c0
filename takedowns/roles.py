"""Who may do what."""

from __future__ import annotations

from takedowns.ledger.tables import User
from takedowns.ledger.vocabulary import Role

REVIEWERS = frozenset({Role.ANALYST, Role.SUPERVISOR, Role.ADMIN})
SENIORS = frozenset({Role.SUPERVISOR, Role.ADMIN})


class NotAllowedError(ValueError):
    """The person's role does not allow it, or the account was closed."""

    code = "not_allowed"


def require(user: User, roles: frozenset[Role]) -> None:
    if not user.active or user.role not in roles:
        raise NotAllowedError(f"{user.login} may not do this: it takes the role {' or '.join(sorted(roles))}")
