"""Where each crawl is told of in a chat, and whether its end was: kept through restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.schema import Announcement as Row

if TYPE_CHECKING:
    from engine.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is answered.

    Attributes:
        language: The language to speak there.
        thread_id: Topic of a forum.
        reply_to: Message to reply to.
    """

    chat_id: int
    language: str
    thread_id: int | None = None
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A crawl's messages in one chat.

    Attributes:
        message_id: The message that shows how far it is; None until it was sent.
        after: Set when a message was about to be sent: newest message id known just before.
    """

    crawl_id: int
    place: Place
    message_id: int | None = None
    after: int | None = None


class Announcements:
    """Crawls one bot was asked for. Methods block on the database: call them off the event loop."""

    def __init__(self, catalog: Catalog, bot_id: int) -> None:
        self._catalog = catalog
        self._bot_id = bot_id

    def open(self, crawl_id: int, place: Place) -> None:
        """A crawl is to be told of at a place; one that is told of already stays where it is."""
        with self._catalog.session() as session:
            if session.get(Row, crawl_id) is None:
                session.add(
                    Row(
                        crawl_id=crawl_id,
                        bot_id=self._bot_id,
                        chat_id=place.chat_id,
                        thread_id=place.thread_id,
                        reply_to=place.reply_to,
                        language=place.language,
                        is_told=False,
                    )
                )

    def of(self, crawl_id: int) -> Announcement | None:
        """How a crawl of this bot is told of; None for one that is not."""
        with self._catalog.session(read_only=True) as session:
            row = session.get(Row, crawl_id)
            return _announcement(row) if row and row.bot_id == self._bot_id else None

    def untold(self) -> list[Announcement]:
        """Crawls whose end was not told yet, oldest first."""
        query = (
            select(Row)
            .where(Row.bot_id == self._bot_id, Row.is_told.is_(False))
            .order_by(Row.crawl_id)
        )
        with self._catalog.session(read_only=True) as session:
            return [_announcement(row) for row in session.scalars(query)]

    def sending(self, crawl_id: int, after: int) -> None:
        """A message is about to be sent: its id will be above `after`."""
        self._set(crawl_id, after=after)

    def sent(self, crawl_id: int, message_id: int) -> None:
        """The message with the progress is there."""
        self._set(crawl_id, message_id=message_id, after=None)

    def told(self, crawl_id: int) -> None:
        """The chat knows how it ended."""
        self._set(crawl_id, is_told=True)

    def _set(self, crawl_id: int, **values: object) -> None:
        with self._catalog.session() as session:
            row = session.get(Row, crawl_id)
            if row is not None:
                for name, value in values.items():
                    setattr(row, name, value)


def _announcement(row: Row) -> Announcement:
    place = Place(row.chat_id, row.language, row.thread_id, row.reply_to)
    return Announcement(row.crawl_id, place, row.message_id, row.after)
