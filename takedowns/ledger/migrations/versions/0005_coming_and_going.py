"""what comes in and goes out of the house, what sellers have in common, which machine has a run"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ENUM = sa.String(32)
_CHILDREN_FIRST = (
    *("cleaned_item", "cleaning_report", "stray_response", "inbox_message"),
    *("notice_step", "dispatch_file", "dispatch", "handover_lead", "handover", "tip"),
    *("listing_picture", "picture_address", "picture", "contact_hash"),
    *("seller_link", "seller_sighting", "control"),
)


def upgrade() -> None:
    op.add_column("crawl_run", sa.Column("host", sa.String(), nullable=True))
    op.add_column("job_firing", sa.Column("work", sa.String(), nullable=True))
    op.add_column("lead", sa.Column("judged_at", UTC, nullable=True))
    op.create_index("ix_work_item_subject", "work_item", ["platform", "kind", "subject"], unique=False)
    _incoming()
    _outgoing()
    _connections()
    _notices_into_the_outbox()


def _incoming() -> None:
    op.create_table(
        "inbox_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inbox", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("platform", sa.String(), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_message")),
        sa.UniqueConstraint("inbox", "key", name=op.f("uq_inbox_message_inbox_key")),
    )
    op.create_table(
        "tip",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("platform", sa.String(), nullable=True),
        sa.Column("item_id", sa.String(), nullable=True),
        sa.Column("shop", sa.String(), nullable=True),
        sa.Column("minors", sa.Boolean(), nullable=False),
        sa.Column("category", ENUM, nullable=True),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("due_at", UTC, nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=True),
        sa.Column("handled_by_id", sa.Integer(), nullable=True),
        sa.Column("handled_at", UTC, nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["handled_by_id"], ["app_user.id"], name=op.f("fk_tip_handled_by_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_tip_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tip")),
        sa.UniqueConstraint("number", name=op.f("uq_tip_number")),
        sa.UniqueConstraint("source", name=op.f("uq_tip_source")),
    )
    op.create_index(op.f("ix_tip_listing_id"), "tip", ["listing_id"], unique=False)
    op.create_index("ix_tip_order", "tip", ["state", "due_at", "id"], unique=False)
    op.create_table(
        "cleaning_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("cleaned", ENUM, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("claimed_at", UTC, nullable=True),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_cleaning_report_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cleaning_report")),
        sa.UniqueConstraint("source", "cleaned", name=op.f("uq_cleaning_report_source_cleaned")),
    )
    op.create_index(op.f("ix_cleaning_report_lead_id"), "cleaning_report", ["lead_id"], unique=False)
    op.create_index(op.f("ix_cleaning_report_platform"), "cleaning_report", ["platform"], unique=False)
    op.create_index(op.f("ix_cleaning_report_received_at"), "cleaning_report", ["received_at"], unique=False)
    op.create_table(
        "stray_response",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=True),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("handled_by_id", sa.Integer(), nullable=True),
        sa.Column("handled_at", UTC, nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handled_by_id"], ["app_user.id"], name=op.f("fk_stray_response_handled_by_id")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_stray_response_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stray_response")),
        sa.UniqueConstraint("source", name=op.f("uq_stray_response_source")),
    )
    op.create_index("ix_stray_response_state", "stray_response", ["state", "id"], unique=False)
    op.create_table(
        "cleaned_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("cleaned", ENUM, nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["cleaning_report.id"], name=op.f("fk_cleaned_item_report_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cleaned_item")),
        sa.UniqueConstraint(
            "platform", "cleaned", "identifier", name=op.f("uq_cleaned_item_platform_cleaned_identifier")
        ),
    )
    op.create_index(op.f("ix_cleaned_item_report_id"), "cleaned_item", ["report_id"], unique=False)


def _outgoing() -> None:
    op.create_table(
        "handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("incoming", sa.Boolean(), nullable=False),
        sa.Column("counterpart", sa.String(), nullable=False),
        sa.Column("counterpart_kind", sa.String(), nullable=False),
        sa.Column("their_number", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("package_sha256", sa.String(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("due_at", UTC, nullable=False),
        sa.Column("sent_at", UTC, nullable=True),
        sa.Column("receipt", sa.String(), nullable=True),
        sa.Column("receipt_at", UTC, nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("result_sha256", sa.String(), nullable=True),
        sa.Column("closed_at", UTC, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_handover_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("counterpart", "their_number", name=op.f("uq_handover_counterpart_their_number")),
        sa.UniqueConstraint("number", name=op.f("uq_handover_number")),
    )
    op.create_table(
        "dispatch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", ENUM, nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=True),
        sa.Column("handover_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("not_before", UTC, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", UTC, nullable=True),
        sa.Column("may_have_arrived", sa.Boolean(), nullable=False),
        sa.Column("sent_at", UTC, nullable=True),
        sa.Column("receipt", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(notice_id IS NULL) <> (handover_id IS NULL)", name=op.f("ck_dispatch_one_subject")
        ),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name=op.f("fk_dispatch_handover_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_dispatch_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_dispatch_idempotency_key")),
    )
    op.create_index("ix_dispatch_due", "dispatch", ["state", "not_before"], unique=False)
    op.create_index(op.f("ix_dispatch_handover_id"), "dispatch", ["handover_id"], unique=False)
    op.create_index(op.f("ix_dispatch_notice_id"), "dispatch", ["notice_id"], unique=False)
    op.create_table(
        "dispatch_file",
        sa.Column("dispatch_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dispatch_id"], ["dispatch.id"], name=op.f("fk_dispatch_file_dispatch_id")),
        sa.PrimaryKeyConstraint("dispatch_id", "name", name=op.f("pk_dispatch_file")),
    )
    op.create_table(
        "notice_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("dispatch_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["dispatch_id"], ["dispatch.id"], name=op.f("fk_notice_step_dispatch_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_step_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_step")),
        sa.UniqueConstraint("dispatch_id", name=op.f("uq_notice_step_dispatch_id")),
        sa.UniqueConstraint("notice_id", "rung", name=op.f("uq_notice_step_notice_id_rung")),
    )
    op.create_table(
        "handover_lead",
        sa.Column("handover_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("tip_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name=op.f("fk_handover_lead_handover_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_handover_lead_lead_id")),
        sa.ForeignKeyConstraint(["tip_id"], ["tip.id"], name=op.f("fk_handover_lead_tip_id")),
        sa.PrimaryKeyConstraint("handover_id", "number", name=op.f("pk_handover_lead")),
    )
    op.create_index(op.f("ix_handover_lead_lead_id"), "handover_lead", ["lead_id"], unique=False)
    op.create_index(op.f("ix_handover_lead_tip_id"), "handover_lead", ["tip_id"], unique=False)


# What was approved waits in the outbox, what failed waits there for a person, what went is kept for its id.
_TO_OUTBOX = """
INSERT INTO dispatch (kind, notice_id, channel, recipient, subject, body, idempotency_key, state, created_at,
  not_before, attempts, attempted_at, may_have_arrived, sent_at, failure, version)
SELECT 'notice', id, channel, recipient, subject, body, message_id,
  CASE state WHEN 'approved' THEN 'waiting' WHEN 'send_failed' THEN 'failed' ELSE 'sent' END,
  COALESCE(approved_at, created_at), COALESCE(approved_at, created_at),
  CASE WHEN state = 'approved' AND attempted_at IS NULL THEN 0 ELSE 1 END,
  attempted_at, attempted_at IS NOT NULL, sent_at, failure, 1
FROM notice WHERE state NOT IN ('draft', 'cancelled') ORDER BY id
"""
_FROM_OUTBOX = """
UPDATE notice SET
  message_id = COALESCE((SELECT idempotency_key FROM dispatch WHERE id = LAST), '<' || number || '@draft>'),
  failure = (SELECT failure FROM dispatch WHERE id = LAST),
  attempted_at = (SELECT attempted_at FROM dispatch WHERE id = LAST)
""".replace("LAST", "(SELECT MAX(id) FROM dispatch WHERE notice_id = notice.id AND kind = 'notice')")


def _notices_into_the_outbox() -> None:
    op.execute(_TO_OUTBOX)
    with op.batch_alter_table("notice") as table:
        table.add_column(sa.Column("acknowledged_at", UTC, nullable=True))
        table.drop_constraint("uq_notice_message_id", type_="unique")
        for name in ("message_id", "failure", "attempted_at"):
            table.drop_column(name)


def _notices_out_of_the_outbox() -> None:
    with op.batch_alter_table("notice") as table:
        table.add_column(sa.Column("message_id", sa.String(), nullable=True))
        table.add_column(sa.Column("failure", sa.String(), nullable=True))
        table.add_column(sa.Column("attempted_at", UTC, nullable=True))
        table.drop_column("acknowledged_at")
    op.execute(_FROM_OUTBOX)
    with op.batch_alter_table("notice") as table:
        table.alter_column("message_id", existing_type=sa.String(), nullable=False)
        table.create_unique_constraint("uq_notice_message_id", ["message_id"])


def _connections() -> None:
    op.create_table(
        "picture",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("perceptual_hash", sa.String(), nullable=True),
        sa.Column("unread", sa.String(), nullable=True),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_picture")),
    )
    op.create_index(op.f("ix_picture_perceptual_hash"), "picture", ["perceptual_hash"], unique=False)
    op.create_table(
        "picture_address",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("fetched_at", UTC, nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["picture.sha256"], name=op.f("fk_picture_address_sha256")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_picture_address")),
    )
    op.create_index(op.f("ix_picture_address_sha256"), "picture_address", ["sha256"], unique=False)
    op.create_table(
        "seller_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("reason", ENUM, nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("strength", sa.Double(), nullable=False),
        sa.Column("basis", sa.JSON(), nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.CheckConstraint("seller_id < other_id", name=op.f("ck_seller_link_order")),
        sa.ForeignKeyConstraint(["other_id"], ["seller.id"], name=op.f("fk_seller_link_other_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_seller_link_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_link")),
        sa.UniqueConstraint(
            "seller_id",
            "other_id",
            "reason",
            "value",
            name=op.f("uq_seller_link_seller_id_other_id_reason_value"),
        ),
    )
    op.create_index("ix_seller_link_other", "seller_link", ["other_id"], unique=False)
    op.create_table(
        "seller_sighting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("vantage", sa.String(), nullable=False),
        sa.Column("observed_at", UTC, nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("evidence", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["crawl_run.run_id"], name=op.f("fk_seller_sighting_run_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_seller_sighting_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_sighting")),
        sa.UniqueConstraint("run_id", "seller_id", name=op.f("uq_seller_sighting_run_id_seller_id")),
    )
    op.create_index(
        "ix_seller_sighting_seller", "seller_sighting", ["seller_id", "observed_at"], unique=False
    )
    op.create_table(
        "contact_hash",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("observed_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_contact_hash_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", "kind", "digest", name=op.f("pk_contact_hash")),
    )
    op.create_index("ix_contact_hash_digest", "contact_hash", ["kind", "digest"], unique=False)
    op.create_table(
        "control",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("flag_id", sa.Integer(), nullable=False),
        sa.Column("drawn_at", UTC, nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("left_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["flag_id"], ["flag.id"], name=op.f("fk_control_flag_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_control_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_control")),
    )
    op.create_index(op.f("ix_control_flag_id"), "control", ["flag_id"], unique=False)
    op.create_table(
        "listing_picture",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("observed_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_listing_picture_listing_id")),
        sa.ForeignKeyConstraint(["sha256"], ["picture.sha256"], name=op.f("fk_listing_picture_sha256")),
        sa.PrimaryKeyConstraint("listing_id", "sha256", name=op.f("pk_listing_picture")),
    )
    op.create_index(op.f("ix_listing_picture_sha256"), "listing_picture", ["sha256"], unique=False)


def downgrade() -> None:
    _notices_out_of_the_outbox()
    op.drop_index("ix_work_item_subject", "work_item")
    with op.batch_alter_table("lead") as table:
        table.drop_column("judged_at")
    with op.batch_alter_table("job_firing") as table:
        table.drop_column("work")
    with op.batch_alter_table("crawl_run") as table:
        table.drop_column("host")
    for name in _CHILDREN_FIRST:
        op.drop_table(name)
