"""What SQL statements over many rows have in common, in SQLite and PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

CHUNK = 5000
"""Ids per statement: SQLite takes 32,766 parameters, PostgreSQL 65,535."""


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in lists of `CHUNK` at most."""
    every = list(values)
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]


def insert_into(connection: Connection, table: type[Any]) -> SqliteInsert | PostgresInsert:
    """An INSERT that can say what to do about rows that are there already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
