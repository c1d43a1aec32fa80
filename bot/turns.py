"""PTB's update processor: runs what the line gave out, and at the end lets it finish or cuts it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from telegram import Update
from telegram.ext import BaseUpdateProcessor

from bot.lanes import Album
from bot.line import MOST_IN_HAND

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.line import Line

LOG = logging.getLogger(__name__)


class Turns(BaseUpdateProcessor):
    """Runs the handlers for one update after another of each chat, and reports to the line."""

    def __init__(self, line: Line) -> None:
        super().__init__(MOST_IN_HAND)
        self._line = line
        self._running: set[asyncio.Task[Any]] = set()
        self._is_ending = False

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Run the handlers for one update; it is done when they return, not when they are cut."""
        update_id = update.update_id if isinstance(update, Update | Album) else -1
        if self._is_ending and isinstance(coroutine, Coroutine):  # given out at the last moment
            coroutine.close()
            await self._line.finish(update_id, is_answered=False)
            return
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
        is_answered = False
        try:
            await coroutine
            is_answered = True
        finally:
            await self._line.finish(update_id, is_answered=is_answered)
            if task is not None:
                self._running.discard(task)

    async def finish_in_hand(self, within_s: float) -> None:
        """Let what is in hand finish; cut what takes longer, to be answered after the restart."""
        self._is_ending = True
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=within_s)
            for task in late:
                task.cancel()
            if late:
                LOG.info("%d answers are left for the next start", len(late))
                await asyncio.wait(late, timeout=1.0)
