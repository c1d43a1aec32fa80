"""The durable inbox: every update is in the database before Telegram is told that it arrived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from engine.schema import Inbox as Row
from engine.schema import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.catalog import Catalog

# Telegram keeps what it was not confirmed for a day: done rows must outlive that to be recognised.
KEPT = timedelta(days=2)
STALE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Received:
    """One stored update.

    Attributes:
        payload: The update as Telegram sent it.
        after: Set when its answer had been begun: newest message id known just before.
        notice: Message that told of the search; whoever takes the update up again removes it.
    """

    update_id: int
    chat_id: int | None
    payload: dict[str, Any]
    received_at: datetime
    attempts: int = 0
    after: int | None = None
    notice: int | None = None


class Inbox:
    """Updates received by one bot. Methods block on the database: call them off the event loop."""

    def __init__(self, catalog: Catalog, bot_id: int) -> None:
        self._catalog = catalog
        self._bot_id = bot_id

    def store(self, updates: Iterable[Received]) -> set[int]:
        """Store updates in one transaction; returns the ids of those never seen before."""
        offered = {received.update_id: received for received in updates}
        known = select(Row.update_id).where(
            Row.bot_id == self._bot_id, Row.update_id.in_(list(offered))
        )
        with self._catalog.session() as session:
            new = set(offered) - set(session.scalars(known))
            session.add_all(
                Row(
                    bot_id=self._bot_id,
                    update_id=update_id,
                    chat_id=offered[update_id].chat_id,
                    payload={"update": offered[update_id].payload},
                    received_at=offered[update_id].received_at,
                )
                for update_id in sorted(new)
            )
        return new

    def unanswered(self) -> list[Received]:
        """What is still to be answered, oldest first."""
        query = (
            select(Row)
            .where(Row.bot_id == self._bot_id, Row.state != "done")
            .order_by(Row.update_id)
        )
        with self._catalog.session(read_only=True) as session:
            return [
                Received(
                    update_id=row.update_id,
                    chat_id=row.chat_id,
                    payload=row.payload["update"],
                    received_at=row.received_at,
                    attempts=row.attempts,
                    after=row.payload.get("after"),
                    notice=row.payload.get("notice"),
                )
                for row in session.scalars(query)
            ]

    def begin(self, update_id: int, after: int) -> None:
        """The answer is about to be sent: a message with an id above `after` may be part of it."""
        self._add(update_id, after=after, state="answering")

    def show_notice(self, update_id: int, message_id: int) -> None:
        """A message tells that this update's answer takes long; it goes when the answer comes."""
        self._add(update_id, notice=message_id)

    def _add(self, update_id: int, state: str | None = None, **noted: int) -> None:
        with self._catalog.session() as session:
            row = session.get(Row, (self._bot_id, update_id))
            if row is not None and row.state != "done":
                row.state = state or row.state
                row.payload = {**row.payload, **noted}

    def failed(self, update_ids: Iterable[int]) -> None:
        """The answer did not succeed this time."""
        self._set(update_ids, attempts=Row.attempts + 1)

    def done(self, update_ids: Iterable[int]) -> None:
        """These updates are answered; what they said is no longer kept."""
        self._set(update_ids, state="done", payload={}, answered_at=now())

    def _set(self, update_ids: Iterable[int], **values: object) -> None:
        mine = (Row.bot_id == self._bot_id) & Row.update_id.in_(list(update_ids))
        with self._catalog.session() as session:
            session.execute(update(Row).where(mine).values(**values))

    def prune(self) -> None:
        """Drop answered updates that Telegram can no longer deliver again."""
        with self._catalog.session() as session:
            session.execute(
                delete(Row).where(
                    Row.bot_id == self._bot_id,
                    Row.state == "done",
                    Row.received_at < now() - KEPT,
                )
            )
