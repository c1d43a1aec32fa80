"""The first tables.

Types are spelled out instead of taken from `engine.schema`: a revision must go on meaning what it
meant when the schema has moved on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "images",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("owner", sa.BigInteger()),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("phash", sa.BigInteger(), nullable=False),
        sa.Column("near_of", sa.String(16)),
        sa.Column("source", sa.Text()),
        sa.Column("landing_page", sa.Text()),
        sa.Column("title", sa.Text()),
        sa.Column("creator", sa.Text()),
        sa.Column("licence", sa.Text()),
        sa.Column("licence_url", sa.Text()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.ForeignKeyConstraint(
            ["near_of"], ["images.id"], name="fk_images_near_of",
            ondelete="SET NULL", deferrable=True, initially="DEFERRED",
        ),
        sa.CheckConstraint("state IN ('pending', 'ready')", name="ck_images_state"),
    )
    for column in ("category", "phash", "near_of", "state"):
        op.create_index(f"ix_images_{column}", "images", [column])
    op.create_table(
        "files",
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("image_id", sa.String(16), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("is_stored", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_files"),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name="fk_files_image_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_files_image_id", "files", ["image_id"])
    op.create_table(
        "chats",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("metric", sa.String(32)),
        sa.Column("topk", sa.Integer()),
        sa.Column("language", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_chats"),
    )
    op.create_table(
        "telegram_files",
        sa.Column("bot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("image_id", sa.String(16), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "image_id", name="pk_telegram_files"),
    )
    op.create_index("ix_telegram_files_image_id", "telegram_files", ["image_id"])
    op.create_table(
        "inbox",
        sa.Column("bot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chat_id", sa.BigInteger()),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("bot_id", "update_id", name="pk_inbox"),
        sa.CheckConstraint("state IN ('waiting', 'answering', 'done')", name="ck_inbox_state"),
    )
    op.create_index("ix_inbox_state_bot_id", "inbox", ["state", "bot_id"])
    op.create_table(
        "questions",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.Text()),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_questions"),
    )
    op.create_index("ix_questions_created_at", "questions", ["created_at"])


def downgrade() -> None:
    for table in ("questions", "inbox", "telegram_files", "chats", "files", "images"):
        op.drop_table(table)
