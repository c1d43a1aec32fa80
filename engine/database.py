"""Connections to the catalogue's database: SQLite or PostgreSQL, opened and brought up to date."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from engine.errors import StoreError
from engine.migrations import HEAD, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

WAIT_S = 30
"""How long one writer waits for another."""

CONNECT_S = 10
"""How long a PostgreSQL server is waited for."""

UPGRADE_LOCK = 0x6C6F6F6B
"""Key of the advisory lock (PostgreSQL) that one process holds while it changes tables."""


def open_database(url: str, *, create: bool) -> Engine:
    """An engine for `url` whose tables are those of `engine.schema`.

    A connection with the execution option `takes_write_lock` begins its transactions as a writer:
    in SQLite a reader that turns writer half-way fails at once instead of waiting its turn.

    Raises:
        StoreError: No such database (`create=False`), or it cannot be reached or used.
    """
    address = _address(url)
    engine = _sqlite(address, create=create) if _is_sqlite(address) else _server(address)
    try:
        with _explained(address):
            _bring_up_to_date(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise _unreadable() from None
    if address.drivername in {"postgres", "postgresql"}:
        return address.set(drivername="postgresql+psycopg")
    if _is_sqlite(address) and address.host:
        # sqlite://folder/file.db, with one slash too few.
        raise _unreadable()
    return address


def _unreadable() -> StoreError:
    return StoreError(
        "DATABASE_URL cannot be read; it looks like sqlite:///folder/file.db or "
        "postgresql://user:password@host/name.",
        key="database_url",
    )


def _is_sqlite(address: URL) -> bool:
    return address.get_backend_name() == "sqlite"


def _sqlite(address: URL, *, create: bool) -> Engine:
    if address.database not in {None, "", ":memory:"}:
        path = Path(str(address.database))
        if not path.is_file() and not create:
            raise StoreError(
                f"There is no library yet: {path} does not exist.",
                key="no_catalog",
                path=str(path),
            )
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, connect_args={"timeout": WAIT_S})

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
        # The driver would begin transactions at moments of its own and never around table changes.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        # Safe against killed processes; a power cut may undo the last moments, never damage.
        connection.execute("PRAGMA synchronous = NORMAL")
        # What somebody wants gone is overwritten, not only unlinked.
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get("takes_write_lock", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def _server(address: URL) -> Engine:
    try:
        return create_engine(
            address, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_S}
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            f"DATABASE_URL needs a driver that is not installed ({error}); for PostgreSQL: "
            "pip install 'lookalike[postgres]'.",
            key="database_driver",
            reason=str(error),
        ) from None


def _bring_up_to_date(engine: Engine) -> None:
    if _is_sqlite(engine.url):
        _use_write_ahead_log(engine)
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    with engine.execution_options(takes_write_lock=True).begin() as connection:
        if not _is_sqlite(engine.url):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        # Looked at again: another process may have been quicker to get the lock.
        current = _revision(connection)
        if current != HEAD:
            upgrade(connection, current)


def _use_write_ahead_log(engine: Engine) -> None:
    """Switch to WAL, which lets readers work beside a writer. SQLite does not wait for this one."""
    deadline = time.monotonic() + WAIT_S
    while True:
        raw = engine.raw_connection()
        try:
            cursor = raw.cursor()
            if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
        finally:
            raw.close()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def _explained(address: URL) -> Iterator[None]:
    """Turn the driver's errors into a sentence; the URL is shown without its password."""
    try:
        yield
    except (DBAPIError, sqlite3.DatabaseError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        reason = str(cause).strip().splitlines()[0]
        raise StoreError(
            f"The catalogue {address.render_as_string()} cannot be opened: {reason}.",
            key="catalog_unusable",
            url=address.render_as_string(),
            reason=reason,
        ) from error
