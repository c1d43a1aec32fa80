"""Crawls, and the addresses that they came upon."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crawls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("chat_id", sa.BigInteger()),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_crawls"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'cancelled', 'failed')", name="ck_crawls_state"
        ),
    )
    op.create_index("ix_crawls_state", "crawls", ["state"])
    op.create_table(
        "crawl_urls",
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("crawl_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("candidate", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("image_id", sa.String(16)),
        sa.PrimaryKeyConstraint("category", "digest", name="pk_crawl_urls"),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawls.id"], name="fk_crawl_urls_crawl_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'fetched', 'refused', 'failed')", name="ck_crawl_urls_state"
        ),
    )
    op.create_index("ix_crawl_urls_crawl_id_state", "crawl_urls", ["crawl_id", "state"])
    op.create_index(
        "ix_crawl_urls_category_state_position", "crawl_urls", ["category", "state", "position"]
    )


def downgrade() -> None:
    for table in ("crawl_urls", "crawls"):
        op.drop_table(table)
