"""a verdict names the one that it replaces, so that a rescan can come back to an earlier version"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ONCE = "uq_verdict_snapshot_id_model_version_lexicon_version"
VERSION = ["snapshot_id", "model_version", "lexicon_version"]


def upgrade() -> None:
    with op.batch_alter_table("verdict") as batch_op:
        batch_op.add_column(sa.Column("replaces_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_verdict_replaces_id"), "verdict", ["replaces_id"], ["id"])
        batch_op.create_unique_constraint(batch_op.f("uq_verdict_replaces_id"), ["replaces_id"])
        batch_op.drop_constraint(ONCE, type_="unique")
    first = sa.text("replaces_id IS NULL")
    op.create_index(
        "uq_verdict_first", "verdict", VERSION, unique=True, sqlite_where=first, postgresql_where=first
    )
    op.create_index("ix_verdict_newest", "verdict", ["snapshot_id", "id"])


def downgrade() -> None:
    """Fails where a rescan has come back to an earlier version: the old table has no room for that."""
    op.drop_index("ix_verdict_newest", "verdict")
    op.drop_index("uq_verdict_first", "verdict")
    with op.batch_alter_table("verdict") as batch_op:
        batch_op.create_unique_constraint(batch_op.f(ONCE), VERSION)
        batch_op.drop_constraint(batch_op.f("uq_verdict_replaces_id"), type_="unique")
        batch_op.drop_constraint(batch_op.f("fk_verdict_replaces_id"), type_="foreignkey")
        batch_op.drop_column("replaces_id")
