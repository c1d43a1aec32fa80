"""The records of files: where each picture lies, and as what it was last read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased

from engine.schema import File, Image
from engine.statements import chunks, insert_into

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Engine


@dataclass(frozen=True, slots=True)
class FileState:
    """One file as it was when it was last read; unchanged size and mtime mean: not read again."""

    path: str
    image_id: str
    category: str
    size: int
    mtime_ns: int
    is_stored: bool = False


class FileRecords:
    """Which file holds which picture, by the catalogue. Safe to use from several threads.

    One content may lie in several files. The picture's category is that of its files; when they
    disagree it stays what it was as long as one file agrees, else the first path decides.

    Args:
        reader: The database.
        writer: The same, for connections that begin as writers (see `engine.database`).
    """

    def __init__(self, reader: Engine, writer: Engine) -> None:
        self._engine = reader
        self._writer = writer

    def states(self, under: Path | None = None) -> dict[str, FileState]:
        """All files by path, or those at or below `under` (absolute)."""
        query = select(*(getattr(File, name) for name in FileState.__slots__))
        if under is not None:
            folder = str(under).rstrip("/")
            # "0" follows "/" in ASCII, so this is everything that begins with the folder and "/".
            below = (File.path >= f"{folder}/") & (File.path < f"{folder}0")
            query = query.where(below | (File.path == str(under)))
        with self._engine.connect() as connection:
            return {row[0]: FileState(*row) for row in connection.execute(query)}

    def of(self, ids: Iterable[str]) -> dict[str, list[FileState]]:
        """The files of these pictures, by id; pictures without a file are left out."""
        query = select(*(getattr(File, name) for name in FileState.__slots__)).order_by(File.path)
        found: dict[str, list[FileState]] = {}
        with self._engine.connect() as connection:
            for chunk in chunks(ids):
                for row in connection.execute(query.where(File.image_id.in_(chunk))):
                    state = FileState(*row)
                    found.setdefault(state.image_id, []).append(state)
        return found

    def orphans(self) -> list[str]:
        """Ids of pictures, pending or ready, that have no file."""
        query = select(Image.id).where(~has_file()).order_by(Image.id)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def record(self, states: Iterable[FileState]) -> list[str]:
        """Record files, new or changed.

        Returns:
            Ids of pictures that lost their last file, because the file at its path now holds
            another picture.
        """
        return self._replace([], list(states))

    def move(self, moved: Mapping[str, FileState]) -> list[str]:
        """Record, by their old path, files that lie elsewhere now.

        Returns:
            Ids of pictures that lost their last file, as for `record`.
        """
        return self._replace(list(moved), list(moved.values()))

    def forget(self, paths: Iterable[str]) -> list[str]:
        """Drop the records of files that are gone.

        A picture with another file stays and takes that file's category.

        Returns:
            Ids of pictures that lost their last file; to remove them is the caller's.
        """
        return self._replace(list(paths), [])

    def _replace(self, gone: list[str], states: list[FileState]) -> list[str]:
        paths = [*gone, *(state.path for state in states)]
        touched = {state.image_id for state in states}
        with self._writer.begin() as connection:
            for chunk in chunks(paths):
                owners = select(File.image_id).where(File.path.in_(chunk)).distinct()
                touched.update(connection.execute(owners).scalars())
            for chunk in chunks(gone):
                connection.execute(delete(File).where(File.path.in_(chunk)))
            if states:
                insert = insert_into(connection, File)
                renewed = {n: insert.excluded[n] for n in FileState.__slots__ if n != "path"}
                connection.execute(
                    insert.on_conflict_do_update(index_elements=["path"], set_=renewed),
                    [{name: getattr(s, name) for name in FileState.__slots__} for s in states],
                )
            orphans: list[str] = []
            for chunk in chunks(sorted(touched)):
                _follow_files(connection, chunk)
                query = select(Image.id).where(Image.id.in_(chunk), ~has_file())
                orphans += connection.execute(query.order_by(Image.id)).scalars().all()
        return orphans


def has_file() -> ColumnElement[bool]:
    """Whether a picture lies in any file."""
    return exists().where(File.image_id == Image.id)


def _follow_files(connection: Connection, ids: list[str]) -> None:
    """Give pictures whose category none of their files has any more the first file's category."""
    first, agreeing = aliased(File), aliased(File)
    category = (
        select(first.category)
        .where(first.image_id == Image.id)
        .order_by(first.path)
        .limit(1)
        .scalar_subquery()
    )
    agrees = exists().where(agreeing.image_id == Image.id, agreeing.category == Image.category)
    connection.execute(
        update(Image)
        .where(Image.id.in_(ids), has_file(), ~agrees)
        .values(category=category)
        .execution_options(synchronize_session=False)
    )
