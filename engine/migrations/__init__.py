"""The history of the catalogue's tables: one Alembic revision per change, run from within."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0004"
"""The newest revision. Kept by hand (a test compares), so that a database which is up to date can
be recognised without importing Alembic."""

FOLDER = Path(__file__).parent


def upgrade(connection: Connection, current: str | None, *, folder: Path = FOLDER) -> None:
    """Bring the tables from revision `current` (None: there are none) to the newest.

    Runs in the connection's open transaction: either all of it happens or nothing.

    Raises:
        StoreError: `current` is unknown here, so a newer version of the program made it.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"The catalogue was written by a newer version of Lookalike (its revision {current} "
            "is unknown here); update the program.",
            key="catalog_newer",
            revision=current,
        )
    command.upgrade(config, "head")
