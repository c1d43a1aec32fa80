"""The catalogue's tables, as SQLAlchemy 2 declarative classes; `engine.migrations` makes them.

`chats`, `telegram_files`, `inbox`, `questions`, `announcements` and `schedules` are the bot's own
stores. They live here because one database, one history of migrations and one backup are simpler
than two.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class PathBytes(TypeDecorator[str]):
    """A file's path: a string in Python, the file system's own bytes in the database.

    Names that are no UTF-8 survive that way (text columns refuse them), and comparing bytes gives
    the same order in every database, so "everything below a folder" is one range of the index.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Encode as the operating system does."""
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Decode as the operating system does."""
        return None if value is None else os.fsdecode(value)


class Words(TypeDecorator[str]):
    """Text from outside (a folder's name, a title): what no database can hold is replaced.

    That is a NUL (PostgreSQL refuses it) and a lone surrogate (no UTF-8). A value looked up goes
    through the same replacement, so it is still found.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Replace what cannot be stored by U+FFFD."""
        if value is None or value.isascii():
            return value if value is None or "\0" not in value else value.replace("\0", "\ufffd")
        cleaned = value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass")
        return cleaned.decode("utf-16", "replace")


class Moment(TypeDecorator[datetime]):
    """A time with its zone, always UTC; SQLite alone would hand it back without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse a time without zone, which would be stored hours off unnoticed."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """What all tables share: names for constraints, so that migrations can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Image(Base):
    """One picture, that is: one content. Its files are in `files`."""

    __tablename__ = "images"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'ready')", name="state"),
        Index(None, "category"),
        Index(None, "phash"),
        Index(None, "near_of"),
        Index(None, "state"),
        Index(None, "owner"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    owner: Mapped[int | None] = mapped_column(BigInteger)
    category: Mapped[str] = mapped_column(Words)
    width: Mapped[int]
    height: Mapped[int]
    phash: Mapped[int] = mapped_column(BigInteger)
    # Deferred, because one batch may hold a picture and its near-duplicate in any order.
    near_of: Mapped[str | None] = mapped_column(
        ForeignKey("images.id", ondelete="SET NULL", deferrable=True, initially="DEFERRED")
    )
    source: Mapped[str | None] = mapped_column(Words)
    landing_page: Mapped[str | None] = mapped_column(Words)
    title: Mapped[str | None] = mapped_column(Words)
    creator: Mapped[str | None] = mapped_column(Words)
    licence: Mapped[str | None] = mapped_column(Words)
    licence_url: Mapped[str | None] = mapped_column(Words)
    state: Mapped[str] = mapped_column(String(16), default="pending")
    added_at: Mapped[datetime] = mapped_column(Moment, default=now)


class Removal(Base):
    """A picture that is being removed: what an interrupted removal left, the next start removes."""

    __tablename__ = "removals"

    image_id: Mapped[str] = mapped_column(
        ForeignKey("images.id", ondelete="CASCADE"), primary_key=True
    )


class File(Base):
    """One file that holds a picture; `is_stored` if it is the library's own copy."""

    __tablename__ = "files"
    __table_args__ = (Index(None, "image_id"),)

    path: Mapped[str] = mapped_column(PathBytes, primary_key=True)
    image_id: Mapped[str] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    category: Mapped[str] = mapped_column(Words)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    is_stored: Mapped[bool] = mapped_column(default=False)


class Chat(Base):
    """A chat's choices; what is NULL follows the settings.

    `scope` says where its questions look, `may_save` whether a group keeps pictures of its own.
    """

    __tablename__ = "chats"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    metric: Mapped[str | None] = mapped_column(String(32))
    topk: Mapped[int | None]
    language: Mapped[str | None] = mapped_column(String(16))
    scope: Mapped[str | None] = mapped_column(String(16))
    may_save: Mapped[bool | None]


class TelegramFile(Base):
    """The file id under which one bot can send a picture again without uploading it."""

    __tablename__ = "telegram_files"
    __table_args__ = (Index(None, "image_id"),)

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    image_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    file_id: Mapped[str] = mapped_column(Text)


class Inbox(Base):
    """One update received, so that a restart answers what was not answered, and nothing twice."""

    __tablename__ = "inbox"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'answering', 'done')", name="state"),
        Index(None, "state", "bot_id"),
    )

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime] = mapped_column(Moment, default=now)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)


class Question(Base):
    """A question asked, under the short key that its answer's buttons carry."""

    __tablename__ = "questions"
    __table_args__ = (Index(None, "created_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    file_id: Mapped[str | None] = mapped_column(Text)
    flags: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


class Crawl(Base):
    """One crawl of a topic: what was asked for, by whom, and what became of it."""

    __tablename__ = "crawls"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'running', 'done', 'cancelled', 'failed')", name="state"
        ),
        Index(None, "state"),
        Index(None, "request", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(Words)
    category: Mapped[str] = mapped_column(Words)
    wanted: Mapped[int]
    sources: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    reason: Mapped[str | None] = mapped_column(Words)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    request: Mapped[str | None] = mapped_column(String(96))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class Announcement(Base):
    """Where one bot tells of a crawl that it was asked for: the message with its progress.

    `after` is the newest message id known before something was sent, `is_told` is set when the
    chat has heard of the end.
    """

    __tablename__ = "announcements"
    __table_args__ = (Index(None, "bot_id", "is_told"),)

    crawl_id: Mapped[int] = mapped_column(
        ForeignKey("crawls.id", ondelete="CASCADE"), primary_key=True
    )
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    thread_id: Mapped[int | None]
    reply_to: Mapped[int | None]
    language: Mapped[str] = mapped_column(String(16))
    message_id: Mapped[int | None]
    after: Mapped[int | None]
    is_told: Mapped[bool] = mapped_column(default=False)


class Schedule(Base):
    """A crawl that comes again and again; APScheduler keeps when it is due next."""

    __tablename__ = "schedules"

    id: Mapped[int] = mapped_column(primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    topic: Mapped[str] = mapped_column(Words)
    wanted: Mapped[int]
    sources: Mapped[list[str]] = mapped_column(JSON)
    recurrence: Mapped[str] = mapped_column(String(64))
    chat_id: Mapped[int] = mapped_column(BigInteger)
    thread_id: Mapped[int | None]
    user_id: Mapped[int] = mapped_column(BigInteger)
    language: Mapped[str] = mapped_column(String(16))
    request: Mapped[str] = mapped_column(String(96))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


class CrawlUrl(Base):
    """A picture's address that a crawl for a category came upon, so that none is asked twice.

    `position` keeps the order in which the sources gave them, `candidate` what they said of it.
    """

    __tablename__ = "crawl_urls"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'fetched', 'refused', 'failed')", name="state"),
        Index(None, "crawl_id", "state"),
        Index(None, "category", "state", "position"),
    )

    category: Mapped[str] = mapped_column(Words, primary_key=True)
    digest: Mapped[str] = mapped_column(String(32), primary_key=True)
    crawl_id: Mapped[int] = mapped_column(ForeignKey("crawls.id", ondelete="CASCADE"))
    position: Mapped[int]
    url: Mapped[str] = mapped_column(Words)
    candidate: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    reason: Mapped[str | None] = mapped_column(String(64))
    image_id: Mapped[str | None] = mapped_column(String(16))
