"""Alembic's entry point; the application hands over its open connection."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

import takedowns.ledger.tables  # noqa: F401  (fills the metadata)
from takedowns.ledger.vocabulary import Base, UtcDateTime


def _plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    # A migration must not change with the code, so it names no type of ours.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=_plain_type,
    render_as_batch=True,  # SQLite cannot alter a column in place
)
with context.begin_transaction():
    context.run_migrations()
