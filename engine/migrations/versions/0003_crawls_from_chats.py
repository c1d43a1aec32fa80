"""Crawls asked for in chats: where they are told of, and those that come again and again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("crawls", sa.Column("request", sa.String(96)))
    op.create_index("ix_crawls_request", "crawls", ["request"], unique=True)
    op.create_table(
        "announcements",
        sa.Column("crawl_id", sa.Integer(), nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.Integer()),
        sa.Column("reply_to", sa.Integer()),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("message_id", sa.Integer()),
        sa.Column("after", sa.Integer()),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("crawl_id", name="pk_announcements"),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawls.id"], name="fk_announcements_crawl_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_announcements_bot_id_is_told", "announcements", ["bot_id", "is_told"])
    op.create_table(
        "schedules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("recurrence", sa.String(64), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.Integer()),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("request", sa.String(96), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
    )


def downgrade() -> None:
    for table in ("schedules", "announcements"):
        op.drop_table(table)
    op.drop_index("ix_crawls_request", table_name="crawls")
    op.drop_column("crawls", "request")
