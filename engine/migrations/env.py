"""What Alembic runs for every command; the connection comes from `engine.migrations.upgrade`."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    # SQLite can undo changes of tables too, once the driver leaves BEGIN to `engine.database`.
    transactional_ddl=True,
    # SQLite alters most of a table by writing it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
