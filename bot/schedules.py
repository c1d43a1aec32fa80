"""Schedules: which crawls come again and again, for whom, and where they are told of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from bot.announcements import Place
from bot.recurrence import Recurrence
from engine.schema import Schedule as Row

if TYPE_CHECKING:
    from bot.orders import Order
    from engine.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Schedule:
    """One crawl that comes again and again.

    Attributes:
        sources: Names; those of the settings when empty.
        user_id: The admin who made it.
        place: Where each of its crawls is told of.
    """

    id: int
    topic: str
    wanted: int
    sources: tuple[str, ...]
    recurrence: Recurrence
    user_id: int
    place: Place


class Schedules:
    """The schedules of one bot. Methods block on the database: call them off the event loop."""

    def __init__(self, catalog: Catalog, bot_id: int) -> None:
        self._catalog = catalog
        self._bot_id = bot_id

    def add(
        self, order: Order, recurrence: Recurrence, place: Place, *, user_id: int, request: str
    ) -> Schedule:
        """Record a schedule; the same request makes one, however often it comes."""
        mine = select(Row).where(Row.bot_id == self._bot_id, Row.request == request)
        with self._catalog.session() as session:
            row = session.scalars(mine).first()
            if row is None:
                row = Row(
                    bot_id=self._bot_id,
                    topic=order.topics[0],
                    wanted=order.wanted,
                    sources=list(order.sources),
                    recurrence=recurrence.written,
                    chat_id=place.chat_id,
                    thread_id=place.thread_id,
                    user_id=user_id,
                    language=place.language,
                    request=request,
                )
                session.add(row)
                session.flush()
            return _schedule(row)

    def get(self, schedule_id: int) -> Schedule | None:
        """One of this bot's schedules."""
        with self._catalog.session(read_only=True) as session:
            row = session.get(Row, schedule_id)
            return _schedule(row) if row and row.bot_id == self._bot_id else None

    def all(self) -> list[Schedule]:
        """Every schedule of this bot, oldest first."""
        query = select(Row).where(Row.bot_id == self._bot_id).order_by(Row.id)
        with self._catalog.session(read_only=True) as session:
            return [_schedule(row) for row in session.scalars(query)]

    def remove(self, schedule_id: int) -> bool:
        """Drop a schedule; False if there is none of that number."""
        mine = (Row.bot_id == self._bot_id) & (Row.id == schedule_id)
        with self._catalog.session() as session:
            known = session.scalars(select(Row.id).where(mine)).first() is not None
            session.execute(delete(Row).where(mine))
            return known


def _schedule(row: Row) -> Schedule:
    return Schedule(
        id=row.id,
        topic=row.topic,
        wanted=row.wanted,
        sources=tuple(row.sources),
        recurrence=Recurrence(row.recurrence),
        user_id=row.user_id,
        place=Place(row.chat_id, row.language, row.thread_id),
    )
