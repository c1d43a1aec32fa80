"""Crawls that chats asked for: queued, run one after another, told of until their end is known.

Everything a restart needs is in the database. The crawl itself and each address's state are in the
engine's log, where it is told of is in `bot.announcements`; what is kept here is only what runs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.reporting import Reports
from engine.errors import LibraryLockedError, LookalikeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram.ext import ExtBot

    from bot.announcements import Announcement, Place
    from bot.desk import Desk
    from engine.crawl.fetch import Fetcher
    from engine.crawl.report import CrawlProgress
    from engine.crawls import CrawlEntry
    from engine.library import Library

LOG = logging.getLogger(__name__)

EDIT_EVERY_S = 2.0
POLL_S = 0.05
TROUBLE_PAUSE_S = 30.0
OPEN = frozenset({"queued", "running"})


class Crawling:
    """The crawls of one bot; `run` it in the background."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wake = asyncio.Event()
        self._ordering = asyncio.Lock()
        self.reports = Reports(desk)
        self._running: int | None = None
        self._progress: CrawlProgress | None = None
        self._stop = threading.Event()
        self._leave = threading.Event()
        self._fetcher: Fetcher | None = None

    # What handlers and schedules ask for

    async def order(
        self,
        topic: str,
        place: Place,
        *,
        wanted: int,
        sources: Sequence[str],
        user_id: int,
        request: str,
    ) -> tuple[CrawlEntry, bool]:
        """Queue a crawl, unless one of its category waits or runs already.

        Args:
            topic: What to look for.
            place: Where it is told of.
            wanted: New pictures.
            sources: Names; those of the settings when empty.
            user_id: Who asked.
            request: Name of what asked; the same request queues one crawl, however often it comes.

        Returns:
            The crawl, and whether it is this order's own.

        Raises:
            LookalikeError: It is no topic.
        """
        topic = await self._desk.call(_normal, topic)
        stores = await self._desk.opened()
        names = sources or self._desk.settings.crawl_sources
        async with self._ordering:
            category = await self._desk.category(topic)
            for told in await self._desk.call(stores.announcements.untold):
                entry = await self._desk.call(stores.crawls.get, told.crawl_id)
                if (
                    entry
                    and entry.state in OPEN
                    and entry.category.casefold() == category.casefold()
                ):
                    return entry, entry.request == request
            entry = await self._desk.call(
                lambda: stores.crawls.queue(
                    topic,
                    category=category,
                    wanted=wanted,
                    sources=names,
                    chat_id=place.chat_id,
                    user_id=user_id,
                    request=request,
                )
            )
            await self._desk.call(stores.announcements.open, entry.id, place)
        self._wake.set()
        return entry, True

    async def cancel(self, crawl_id: int) -> CrawlEntry | None:
        """End a crawl at once; None when there is no such crawl, or it has ended."""
        stores = await self._desk.opened()
        async with self._ordering:
            told = await self._desk.call(stores.announcements.of, crawl_id)
            entry = await self._desk.call(stores.crawls.get, crawl_id)
            if told is None or entry is None or entry.state not in OPEN:
                return None
            if self._running == crawl_id:
                self._stop.set()
            else:
                await self._desk.call(stores.crawls.finish, crawl_id, "cancelled")
        self._wake.set()
        return entry

    async def cancel_category(self, category: str) -> None:
        """End the crawls of a category, and wait until they store nothing more."""
        stores = await self._desk.opened()
        for told in await self._desk.call(stores.announcements.untold):
            entry = await self._desk.call(stores.crawls.get, told.crawl_id)
            if entry is not None and entry.category == category:
                await self.cancel(entry.id)
                while self._running == entry.id:  # noqa: ASYNC110 -- it ends in a thread
                    await asyncio.sleep(POLL_S)

    # The work

    async def run(self, bot: ExtBot[int]) -> None:
        """Run what is queued and tell what has ended, for ever."""
        while not self._leave.is_set():
            self._wake.clear()
            try:
                is_idle = not await self._work_on_next(bot)
            except (TelegramError, SQLAlchemyError, LookalikeError) as error:
                LOG.warning("a crawl has to wait: %s", error)
                await asyncio.sleep(TROUBLE_PAUSE_S)
            except Exception:
                LOG.exception("crawling met with something unexpected")
                await asyncio.sleep(TROUBLE_PAUSE_S)
            else:
                if is_idle:
                    await self._wake.wait()

    def leave(self) -> None:
        """End what runs at once; the next start goes on with it."""
        self._leave.set()
        self._wake.set()

    def close(self) -> None:
        """Close connections to the web."""
        if self._fetcher is not None:
            self._fetcher.close()

    async def _work_on_next(self, bot: ExtBot[int]) -> bool:
        """Run or tell of the first crawl that needs it; False when none does."""
        stores = await self._desk.opened()
        for told in await self._desk.call(stores.announcements.untold):
            if told.message_id is None:
                await self._or_forget(bot, told.crawl_id)
        for told in await self._desk.call(stores.announcements.untold):
            entry = await self._begin(told.crawl_id)
            if entry is not None:
                await self._crawl(bot, entry, told)
            if not self._leave.is_set():
                await self.reports.tell_end(bot, told.crawl_id)
            return True
        return False

    async def _begin(self, crawl_id: int) -> CrawlEntry | None:
        """The crawl, if it is still to run; from here on a cancel stops it."""
        stores = await self._desk.opened()
        async with self._ordering:
            entry = await self._desk.call(stores.crawls.get, crawl_id)
            if entry is None or entry.state not in OPEN:
                return None
            self._stop.clear()
            self._progress = None
            self._running = crawl_id
            return entry

    async def _or_forget(self, bot: ExtBot[int], crawl_id: int) -> None:
        """Announce; a chat that is closed to the bot is not told of anything."""
        try:
            await self.reports.announce(bot, crawl_id)
        except (Forbidden, BadRequest) as error:
            LOG.info("crawl %d cannot be told of: %s", crawl_id, error)

    async def _crawl(self, bot: ExtBot[int], entry: CrawlEntry, told: Announcement) -> None:
        """Run one crawl to its end, bringing its message up to date meanwhile."""
        work = asyncio.create_task(self._when_owned(bot, entry, told))
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=EDIT_EVERY_S)
                if not work.done() and self._desk.gallery.is_owner:
                    await self.reports.show_progress(bot, entry, told, self._progress)
            await work
        except LookalikeError as error:
            LOG.warning("crawl %d ended early: %s", entry.id, error)
            await self._fail(entry, str(error))
        except Exception as error:
            LOG.exception("crawl %d ended early", entry.id)
            await self._fail(entry, type(error).__name__)
        finally:
            self._running = None

    async def _when_owned(self, bot: ExtBot[int], entry: CrawlEntry, told: Announcement) -> None:
        """Run the crawl as soon as the library is this process's own."""
        gallery = self._desk.gallery
        try:
            await gallery.write(lambda library: self._fill(library, entry))
        except LibraryLockedError as error:
            await self.reports.show_wait(bot, entry, told, error)
            await self._owned_or_stopped()
            if self._stop.is_set():
                stores = await self._desk.opened()
                await self._desk.call(stores.crawls.finish, entry.id, "cancelled")
            elif not self._leave.is_set():
                await gallery.write(lambda library: self._fill(library, entry))

    async def _owned_or_stopped(self) -> None:
        owned = asyncio.create_task(self._desk.gallery.owned())
        try:
            while not (owned.done() or self._stop.is_set() or self._leave.is_set()):
                await asyncio.wait({owned}, timeout=0.5)
        finally:
            owned.cancel()

    def _fill(self, library: Library, entry: CrawlEntry) -> None:
        """Worker thread: the crawl itself."""
        from engine.crawl.crawler import Crawler
        from engine.crawl.fetch import Fetcher
        from engine.crawl.sources import open_sources

        if self._fetcher is None:
            self._fetcher = Fetcher(self._desk.settings)
        sources = open_sources(self._desk.settings, entry.sources)
        Crawler(library, self._fetcher, sources).run(
            entry.topic,
            crawl_id=entry.id,
            progress=self._note,
            stop=self._stop,
            leave=self._leave,
        )

    def _note(self, progress: CrawlProgress) -> None:
        self._progress = progress

    async def _fail(self, entry: CrawlEntry, reason: str) -> None:
        stores = await self._desk.opened()
        now = await self._desk.call(stores.crawls.get, entry.id)
        if now is not None and now.state in OPEN and not self._leave.is_set():
            await self._desk.call(lambda: stores.crawls.finish(entry.id, "failed", reason=reason))


def _normal(topic: str) -> str:
    from engine.crawl.crawler import normal

    return normal(topic)
