"""Collections of one's own: where questions look, whether groups keep pictures, removals."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_images_owner", "images", ["owner"])
    op.add_column("chats", sa.Column("scope", sa.String(16)))
    op.add_column("chats", sa.Column("may_save", sa.Boolean()))
    op.create_table(
        "removals",
        sa.Column("image_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_removals"),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name="fk_removals_image_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("removals")
    op.drop_column("chats", "may_save")
    op.drop_column("chats", "scope")
    op.drop_index("ix_images_owner", table_name="images")
