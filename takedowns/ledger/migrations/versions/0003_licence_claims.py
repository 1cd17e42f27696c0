"""licence numbers of verdicts get rows of their own, so that the same one can be found on other listings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from takedowns import licences

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BATCH = 500  # verdicts read at a time: a ledger may hold millions
VERDICT = sa.table("verdict", sa.column("id", sa.Integer), sa.column("payload", sa.JSON))


def upgrade() -> None:
    table = op.create_table(
        "licence_claim",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("verdict_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["verdict_id"], ["verdict.id"], name=op.f("fk_licence_claim_verdict_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence_claim")),
        sa.UniqueConstraint(
            "verdict_id", "kind", "number", name=op.f("uq_licence_claim_verdict_id_kind_number")
        ),
    )
    op.create_index("ix_licence_claim_number", "licence_claim", ["kind", "number", "id"])
    _of_earlier_verdicts(table)


def _of_earlier_verdicts(table: sa.Table) -> None:
    connection, last = op.get_bind(), 0
    page = sa.select(VERDICT).order_by(VERDICT.c.id).limit(BATCH)
    while verdicts := connection.execute(page.where(VERDICT.c.id > last)).all():
        last = verdicts[-1].id
        if rows := [row for verdict in verdicts for row in licences.rows_of(verdict.id, verdict.payload)]:
            connection.execute(sa.insert(table), rows)


def downgrade() -> None:
    op.drop_table("licence_claim")
