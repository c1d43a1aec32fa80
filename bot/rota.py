"""The rota: schedules in the database, the timetable that rings, and the crawls they begin."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.schedules import Schedules

if TYPE_CHECKING:
    from datetime import datetime

    from bot.announcements import Place
    from bot.crawling import Crawling
    from bot.desk import Desk
    from bot.orders import Order
    from bot.recurrence import Recurrence
    from bot.schedules import Schedule
    from bot.timetable import Timetable

LOG = logging.getLogger(__name__)


class Rota:
    """The schedules of one bot. `start` it when the database is open."""

    def __init__(self, desk: Desk, crawling: Crawling) -> None:
        self._desk = desk
        self._crawling = crawling
        self._timetable: Timetable | None = None
        self._schedules: Schedules | None = None
        self._is_started = asyncio.Event()
        self._bot_id = 0

    async def start(self, bot_id: int) -> None:
        """Begin, and make up, once each, for what fell due meanwhile."""
        catalog = (await self._desk.opened()).catalog
        self._bot_id = bot_id
        self._schedules = Schedules(catalog, bot_id)
        kept = await self._desk.call(self._schedules.all)
        make = await asyncio.to_thread(_timetable)  # APScheduler takes its time to import
        self._timetable = make(catalog, bot_id, self._begin)
        self._is_started.set()
        await self._timetable.start(kept)

    async def stop(self) -> None:
        """Begin no more crawls."""
        if self._timetable is not None:
            await self._timetable.stop()

    async def add(
        self, order: Order, recurrence: Recurrence, place: Place, *, user_id: int, request: str
    ) -> tuple[Schedule, datetime | None]:
        """Make a schedule; returns it and when it is due first."""
        schedules, timetable = await self._started()
        schedule = await self._desk.call(
            lambda: schedules.add(order, recurrence, place, user_id=user_id, request=request)
        )
        return schedule, await timetable.add(schedule)

    async def all(self) -> list[tuple[Schedule, datetime | None]]:
        """Every schedule, and when it is due next."""
        schedules, timetable = await self._started()
        moments = await timetable.next_times()
        kept = await self._desk.call(schedules.all)
        return [(schedule, moments.get(schedule.id)) for schedule in kept]

    async def drop(self, schedule_id: int) -> bool:
        """End a schedule; False if there is none of that number."""
        schedules, timetable = await self._started()
        is_known = await self._desk.call(schedules.remove, schedule_id)
        await timetable.drop(schedule_id)
        return is_known

    async def _started(self) -> tuple[Schedules, Timetable]:
        await self._is_started.wait()
        if self._schedules is None or self._timetable is None:
            raise RuntimeError("the rota is not there")
        return self._schedules, self._timetable

    async def _begin(self, schedule_id: int, moment: datetime) -> None:
        """A schedule is due: queue its crawl, once for each time."""
        schedules, _ = await self._started()
        schedule = await self._desk.call(schedules.get, schedule_id)
        if schedule is None:
            return
        LOG.info("schedule %d is due: %s", schedule_id, schedule.topic)
        await self._crawling.order(
            schedule.topic,
            schedule.place,
            wanted=schedule.wanted,
            sources=schedule.sources,
            user_id=schedule.user_id,
            request=f"{self._bot_id}:schedule:{schedule_id}:{moment.isoformat()}",
        )


def _timetable() -> type[Timetable]:
    from bot.timetable import Timetable

    return Timetable
