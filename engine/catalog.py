"""The catalogue: what is known of every picture and every file. The source of truth.

Thumbnails and vectors can be made again from it and the files. It lives in SQLite or, by URL, in
PostgreSQL; every method is one transaction over a whole batch.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from engine.database import open_database
from engine.files import FileRecords
from engine.schema import File, Image, Removal, TelegramFile
from engine.statements import chunks, insert_into

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Engine, Row, Select

State = Literal["pending", "ready"]


@dataclass(frozen=True, slots=True)
class Photo:
    """The facts of one picture.

    `id` is the first 16 hex digits of its content's SHA-256 (of a private picture
    `engine.images.owned_id`), `owner` None for a picture that is everyone's, `near_of` the id of
    the picture it nearly repeats. `path` is one of its files (the library's own copy if there is
    one); `add_pending` does not look at it, files have their own record.
    """

    id: str
    category: str
    width: int
    height: int
    phash: int
    owner: int | None = None
    near_of: str | None = None
    source: str | None = None
    landing_page: str | None = None
    title: str | None = None
    creator: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    state: State = "pending"
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """How many pictures that can be found a category has."""

    category: str
    count: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Everyone's pictures in figures; `pictures` counts the ready ones, `bytes` their files."""

    pictures: int
    pending: int
    near_duplicates: int
    categories: int
    files: int
    bytes: int


class Catalog:
    """Facts about pictures, in batches. Safe to use from several threads.

    Attributes:
        files: Where the pictures lie; their categories follow it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(takes_write_lock=True)
        self.files = FileRecords(self._engine, self._writer)

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """Open the database and bring its tables up to date.

        Args:
            url: SQLAlchemy URL (`Settings.database`).
            create: Make a new SQLite file (and its folder) where there is none.

        Raises:
            StoreError: There is no database (`create=False`), it cannot be reached, is damaged, or
                was written by a newer version of the program.
        """
        return cls(open_database(url, create=create))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """The database, for a library that keeps a table of its own in it; takes write locks."""
        return self._writer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """A session over the tables of `engine.schema`: committed at the end, undone on an error.

        Args:
            read_only: Do not take SQLite's write lock, so writers need not be waited for.
        """
        bind = self._engine if read_only else self._writer
        with Session(bind, expire_on_commit=False) as session:
            yield session
            session.commit()

    # Reading

    def facts(self, ids: Iterable[str]) -> dict[str, Photo]:
        """The facts of these pictures, pending ones too; ids that are unknown are left out."""
        query = _select_photos()
        found: dict[str, Photo] = {}
        with self._engine.connect() as connection:
            for chunk in chunks(ids):
                for row in connection.execute(query.where(Image.id.in_(chunk))):
                    found[row[0]] = _photo(row)
        return found

    def holds_any(self, owners: Collection[int | None]) -> bool:
        """Whether one of these owners (None: everyone) has a picture that can be found."""
        with self._engine.connect() as connection:
            return any(
                connection.execute(
                    select(Image.id).where(_owned_by(owner), Image.state == "ready").limit(1)
                ).first()
                for owner in owners
            )

    def newest(self, owner: int, *, offset: int = 0, limit: int | None = None) -> list[Photo]:
        """Somebody's own ready pictures, the newest first."""
        query = (
            _select_photos()
            .where(_owned_by(owner), Image.state == "ready")
            .order_by(Image.added_at.desc(), Image.id)
            .offset(offset)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_photo(row) for row in connection.execute(query)]

    def all_ids_of(self, owner: int) -> list[str]:
        """Ids of somebody's own pictures in any state, in order."""
        return self._column(select(Image.id).where(_owned_by(owner)).order_by(Image.id))

    def ids_of(self, owner: int) -> list[str]:
        """Ids of somebody's own ready pictures, in order."""
        return self._column(
            select(Image.id).where(_owned_by(owner), Image.state == "ready").order_by(Image.id)
        )

    def added_at(self, ids: Iterable[str]) -> dict[str, datetime]:
        """When these pictures came, by id."""
        query = select(Image.id, Image.added_at)
        with self._engine.connect() as connection:
            return {
                name: moment
                for chunk in chunks(ids)
                for name, moment in connection.execute(query.where(Image.id.in_(chunk)))
            }

    def categories(self, owner: int | None = None) -> list[CategoryCount]:
        """The categories of one owner's ready pictures (None: everyone's), by name."""
        query = (
            select(Image.category, func.count())
            .where(Image.state == "ready", _owned_by(owner))
            .group_by(Image.category)
        )
        with self._engine.connect() as connection:
            counts = [
                CategoryCount(category, count) for category, count in connection.execute(query)
            ]
        return sorted(counts, key=lambda each: each.category)

    def ids_in(self, category: str, owner: int | None = None) -> list[str]:
        """Ids of one owner's ready pictures (None: everyone's) in a category, in order."""
        return self._column(
            select(Image.id)
            .where(Image.category == category, Image.state == "ready", _owned_by(owner))
            .order_by(Image.id)
        )

    def originals(
        self, category: str | None = None, *, limit: int | None = None
    ) -> list[tuple[str, str]]:
        """Everyone's ready pictures that repeat no other, as (id, category), in order of the ids.

        An id is a hash: the first so many are a random sample, and the same one every time.

        Args:
            category: Of this category only.
            limit: At most so many.
        """
        query = (
            select(Image.id, Image.category)
            .where(Image.state == "ready", Image.near_of.is_(None), _owned_by(None))
            .order_by(Image.id)
            .limit(limit)
        )
        if category is not None:
            query = query.where(Image.category == category)
        with self._engine.connect() as connection:
            return [(name, of) for name, of in connection.execute(query)]

    def shared_ids(self) -> list[str]:
        """Ids of everyone's ready pictures, in order."""
        return self._column(
            select(Image.id).where(Image.state == "ready", _owned_by(None)).order_by(Image.id)
        )

    def all_ids(self, state: State | None = "ready") -> list[str]:
        """Ids of all pictures in this state (None: in any), private ones among them, in order."""
        query = select(Image.id).order_by(Image.id)
        return self._column(query if state is None else query.where(Image.state == state))

    def pending_ids(self) -> list[str]:
        """Ids of pictures that an interrupted run left unfinished."""
        return self.all_ids("pending")

    def private_ids(self) -> list[str]:
        """Ids of all pictures that have an owner."""
        return sorted(self.owners())

    def owners(self, ids: Iterable[str] | None = None) -> dict[str, int]:
        """Owner by id of all private pictures, or of those among `ids`."""
        query = select(Image.id, Image.owner).where(Image.owner.is_not(None))
        groups = [None] if ids is None else chunks(ids)
        with self._engine.connect() as connection:
            return {
                name: owner
                for chunk in groups
                for name, owner in connection.execute(
                    query if chunk is None else query.where(Image.id.in_(chunk))
                )
                if owner is not None
            }

    def removed_ids(self) -> list[str]:
        """Ids of pictures whose removal has begun (`begin_removal`) and not ended."""
        return self._column(select(Removal.image_id).order_by(Removal.image_id))

    def count(self, state: State = "ready") -> int:
        """Number of pictures in this state, private ones among them."""
        query = select(func.count()).select_from(Image).where(Image.state == state)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def totals(self) -> Totals:
        """Everyone's pictures in figures: of what people keep for themselves nothing is told."""
        is_ready = Image.state == "ready"
        images = select(
            func.count().filter(is_ready),
            func.count().filter(Image.state == "pending"),
            func.count(Image.near_of).filter(is_ready),
            func.count(Image.category.distinct()).filter(is_ready),
        ).where(_owned_by(None))
        files = (
            select(func.count(), func.coalesce(func.sum(File.size), 0))
            .join(Image, Image.id == File.image_id)
            .where(_owned_by(None))
        )
        with self._engine.connect() as connection:
            pictures, pending, near, categories = connection.execute(images).one()
            n_files, n_bytes = connection.execute(files).one()
        return Totals(pictures, pending, near, categories, n_files, int(n_bytes))

    def phashes(self, owner: int | None = None) -> tuple[list[str], NDArray[np.int64]]:
        """Ids (n) and perceptual hashes (n,) of one owner's pictures that repeat no other.

        Pending ones are included; those marked by `mark_near` are not, so that `near_of` always
        names an original and never another copy.
        """
        query = (
            select(Image.id, Image.phash)
            .where(Image.near_of.is_(None), _owned_by(owner))
            .order_by(Image.added_at, Image.id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [row[0] for row in rows], np.array([row[1] for row in rows], dtype=np.int64)

    def near(self, image_id: str) -> list[str]:
        """Ids of the pictures marked as nearly repeating this one."""
        return self._column(select(Image.id).where(Image.near_of == image_id).order_by(Image.id))

    # Writing

    def add_pending(self, photos: Iterable[Photo]) -> None:
        """Record pictures that are about to be stored.

        One that is pending already (a run was interrupted) gets the new facts, one that is ready
        keeps its own.
        """
        rows = [
            {name: getattr(photo, name) for name in _FACTS} | {"state": "pending"}
            for photo in photos
        ]
        if not rows:
            return
        with self._writer.begin() as connection:
            insert = insert_into(connection, Image)
            renewed = {name: insert.excluded[name] for name in _FACTS if name != "id"}
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["id"], set_=renewed, where=Image.state == "pending"
                ),
                rows,
            )

    def mark_ready(self, ids: Iterable[str]) -> None:
        """Say that thumbnail, vector and files of these pictures are stored."""
        with self._writer.begin() as connection:
            for chunk in chunks(ids):
                connection.execute(update(Image).where(Image.id.in_(chunk)).values(state="ready"))

    def mark_pending(self, ids: Iterable[str]) -> None:
        """Say that part of these pictures must be made again; until then nobody finds them."""
        with self._writer.begin() as connection:
            for chunk in chunks(ids):
                connection.execute(update(Image).where(Image.id.in_(chunk)).values(state="pending"))

    def begin_removal(self, ids: Iterable[str]) -> None:
        """Note that pictures are to go: from now on nobody finds them, and `remove_images` ends it.

        The note outlives a crash in between.
        """
        with self._writer.begin() as connection:
            for chunk in chunks(ids):
                known = connection.execute(select(Image.id).where(Image.id.in_(chunk))).scalars()
                rows = [{"image_id": name} for name in known]
                if rows:
                    insert = insert_into(connection, Removal).on_conflict_do_nothing()
                    connection.execute(insert, rows)
                connection.execute(update(Image).where(Image.id.in_(chunk)).values(state="pending"))

    def mark_near(self, originals: Mapping[str, str | None]) -> None:
        """Set, by id, which picture each one nearly repeats (None: none)."""
        if not originals:
            return
        statement = update(Image).where(Image.id == bindparam("copy"))
        rows = [{"copy": copy, "original": original} for copy, original in originals.items()]
        with self._writer.begin() as connection:
            connection.execute(statement.values(near_of=bindparam("original")), rows)

    def remove_images(self, ids: Iterable[str]) -> int:
        """Forget pictures and all that hangs on them; returns how many there were.

        Pictures that were marked as near one of them are originals again.
        """
        removed = 0
        with self._writer.begin() as connection:
            for chunk in chunks(ids):
                connection.execute(delete(TelegramFile).where(TelegramFile.image_id.in_(chunk)))
                removed += connection.execute(delete(Image).where(Image.id.in_(chunk))).rowcount
        return removed

    def flush_log(self) -> None:
        """Leave nothing of what was deleted in SQLite's write-ahead log, as far as readers let."""
        if self._engine.dialect.name == "sqlite":
            raw = self._engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                raw.close()

    def _column(self, query: Select[str]) -> list[str]:
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())


_FACTS = tuple(name for name in Photo.__slots__ if name != "path")


def _select_photos() -> Select[Any]:
    one_path = (
        select(File.path)
        .where(File.image_id == Image.id)
        .order_by(File.is_stored.desc(), File.path)
        .limit(1)
        .correlate(Image)
        .scalar_subquery()
    )
    return select(*(getattr(Image, name) for name in _FACTS), one_path)


def _photo(row: Row[Any]) -> Photo:
    path = None if row[-1] is None else Path(row[-1])
    values: tuple[Any, ...] = (*row[:-1], path)
    return Photo(*values)


def _owned_by(owner: int | None) -> ColumnElement[bool]:
    return Image.owner.is_(None) if owner is None else Image.owner == owner
