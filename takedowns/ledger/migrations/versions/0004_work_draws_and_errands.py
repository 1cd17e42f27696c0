"""what crawls have to do, what the random arm drew, what only a person can do, how much a run asked for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ENUM = sa.String(32)


def upgrade() -> None:
    # Runs of earlier releases were all targeted, and what they asked for was not counted.
    with op.batch_alter_table("crawl_run") as table:
        table.add_column(sa.Column("arm", ENUM, nullable=False, server_default="targeted"))
        table.add_column(sa.Column("requests", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("refusals", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("silent_until", UTC, nullable=True))
    for column in ("arm", "requests", "refusals"):
        with op.batch_alter_table("crawl_run") as table:
            table.alter_column(column, server_default=None)
    _work_items()
    _draws()
    _errands()


def _work_items() -> None:
    op.create_table(
        "work_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("arm", ENUM, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("finished_at", UTC, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["crawl_run.run_id"], name=op.f("fk_work_item_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_item")),
    )
    waiting = sa.text("state IN ('open', 'running')")
    op.create_index(
        "uq_work_item_open",
        "work_item",
        ["platform", "kind", "subject"],
        unique=True,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_work_item_run", "work_item", ["run_id"])


def _draws() -> None:
    op.create_table(
        "listing_draw",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("stratum", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=True),
        sa.Column("snapshot_id", sa.Integer(), nullable=True),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("multiplicity", sa.Integer(), nullable=False),
        sa.Column("listing_probability", sa.Double(), nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("observed_at", UTC, nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("evidence", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["crawl_run.run_id"], name=op.f("fk_listing_draw_run_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_listing_draw_listing_id")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["listing_snapshot.id"], name=op.f("fk_listing_draw_snapshot_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_draw")),
        sa.UniqueConstraint(
            "run_id", "query", "position", name=op.f("uq_listing_draw_run_id_query_position")
        ),
    )
    op.create_index(op.f("ix_listing_draw_listing_id"), "listing_draw", ["listing_id"])


def _errands() -> None:
    op.create_table(
        "person_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("kind", ENUM, nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("done_at", UTC, nullable=True),
        sa.Column("done_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["crawl_run.run_id"], name=op.f("fk_person_task_run_id")),
        sa.ForeignKeyConstraint(["done_by_id"], ["app_user.id"], name=op.f("fk_person_task_done_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_task")),
    )
    undone = sa.text("done_at IS NULL")
    op.create_index(
        "uq_person_task_open",
        "person_task",
        ["platform", "kind"],
        unique=True,
        sqlite_where=undone,
        postgresql_where=undone,
    )


def downgrade() -> None:
    for name in ("person_task", "listing_draw", "work_item"):
        op.drop_table(name)
    with op.batch_alter_table("crawl_run") as table:
        for column in ("silent_until", "refusals", "requests", "arm"):
            table.drop_column(column)
