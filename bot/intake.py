"""The way into the inbox: many updates in one transaction, however long the database takes."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from bot.inbox import Inbox, Received
from engine.schema import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from telegram import Update

T = TypeVar("T")

LOG = logging.getLogger(__name__)


class Intake:
    """One inbox, used from the event loop.

    Args:
        threads: Where the database is talked to.
    """

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._inbox: asyncio.Future[Inbox] | None = None
        self._to_store: list[tuple[Update, asyncio.Future[bool]]] = []
        self._storing: asyncio.Task[None] | None = None

    def open(self, inbox: Inbox) -> None:
        """From now on updates can be stored; whoever waits in `opened` goes on."""
        self._opening.set_result(inbox)

    async def store(self, update: Update) -> bool:
        """Store an update durably.

        Returns:
            Whether it is new.
        """
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._to_store.append((update, stored))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all())
        return await stored

    async def _store_all(self) -> None:
        """Write all that has gathered, in one transaction, until nothing more has."""
        while self._to_store:
            batch, self._to_store = self._to_store, []
            inbox = await self.opened()
            new = await self.call(inbox.store, [received_as(update) for update, _ in batch])
            for update, stored in batch:
                if not stored.done():
                    stored.set_result(update.update_id in new)
                new.discard(update.update_id)

    @property
    def _opening(self) -> asyncio.Future[Inbox]:
        if self._inbox is None:
            self._inbox = asyncio.get_running_loop().create_future()
        return self._inbox

    async def opened(self) -> Inbox:
        """The inbox, once it is there."""
        return await asyncio.shield(self._opening)

    async def call(self, function: Callable[..., T], *args: object) -> T:
        """Talk to the database; while it is out of order, nothing is lost by waiting."""
        for wait_s in itertools.chain((0.1, 0.5, 2.0), itertools.repeat(5.0)):
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, function, *args
                )
            except SQLAlchemyError as error:
                LOG.warning("the database is in trouble (%s); trying again", type(error).__name__)
                await asyncio.sleep(wait_s)
        raise AssertionError("never reached")


def received_as(update: Update) -> Received:
    """An update as the inbox keeps it, received now."""
    chat = update.effective_chat
    return Received(update.update_id, chat.id if chat else None, update.to_dict(), now())
