"""The timetable: APScheduler beside the bot, which rings when a schedule's crawl is due.

APScheduler keeps, in a table of its own, when each schedule is due next; what it is stands in
`bot.schedules`. What fell due while the bot was down is made up for once. A crawl is in the queue
before the next time is written down, and the queue knows each time by name: so a kill in between
neither loses a crawl nor doubles it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from typing import TYPE_CHECKING, Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from bot.schedules import Schedule
    from engine.catalog import Catalog

LOG = logging.getLogger(__name__)

RING_WITHIN_S = 60.0


def due(schedule_id: int) -> int:
    """What a stored job names; APScheduler wants a function, the doorbell only its argument."""
    return schedule_id


class Doorbell(BaseExecutor):  # type: ignore[misc]  # APScheduler has no types
    """Runs no jobs: it tells the bot that one is due, and waits until that is in the queue."""

    def __init__(self, ring: Callable[[int, datetime], None]) -> None:
        super().__init__()
        self._ring = ring

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:  # noqa: ANN401 -- untyped
        try:
            self._ring(job.args[0], run_times[-1])
        except Exception:
            LOG.exception("schedule %s could not be begun", job.id)
            self._run_job_error(job.id, *sys.exc_info()[1:])
        else:
            self._run_job_success(job.id, [])


class Timetable:
    """When this bot's schedules are due.

    Args:
        catalog: The database APScheduler keeps its table in.
        bot_id: Each bot has a table of its own.
        on_due: Called in the event loop with a schedule's id and the time it was due.
    """

    def __init__(
        self,
        catalog: Catalog,
        bot_id: int,
        on_due: Callable[[int, datetime], Coroutine[Any, Any, None]],
    ) -> None:
        self._on_due = on_due
        self._loop = asyncio.get_running_loop()
        self._turning = threading.Lock()  # a bot may be told to stop while it still starts
        self._is_stopped = False
        store = SQLAlchemyJobStore(engine=catalog.engine, tablename=f"timetable_{bot_id}")
        self._scheduler = BackgroundScheduler(
            jobstores={"default": store}, executors={"default": Doorbell(self._ring)}
        )

    async def start(self, schedules: list[Schedule]) -> None:
        """Begin to ring; the table is made to hold just these schedules."""
        await asyncio.to_thread(self._start, schedules)

    def _start(self, schedules: list[Schedule]) -> None:
        with self._turning:
            if not self._is_stopped:
                self._begin(schedules)

    def _begin(self, schedules: list[Schedule]) -> None:
        self._scheduler.start(paused=True)
        known = {job.id for job in self._scheduler.get_jobs()}
        for name in known - {str(schedule.id) for schedule in schedules}:
            self._scheduler.remove_job(name)
        for schedule in schedules:
            if str(schedule.id) not in known:
                self._add(schedule)
        self._scheduler.resume()

    async def stop(self) -> None:
        """Ring no more."""
        # In a thread: the scheduler's own may be waiting for this very loop.
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        with self._turning:
            self._is_stopped = True
            if self._scheduler.running:
                self._scheduler.shutdown(wait=False)

    async def add(self, schedule: Schedule) -> datetime | None:
        """Take a schedule in; returns when it is due first."""
        return await asyncio.to_thread(self._add, schedule)

    def _add(self, schedule: Schedule) -> datetime | None:
        job = self._scheduler.add_job(
            "bot.timetable:due",
            schedule.recurrence.trigger(),
            args=[schedule.id],
            id=str(schedule.id),
            name=schedule.topic,
            replace_existing=True,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        return _next(job)

    async def drop(self, schedule_id: int) -> None:
        """Take a schedule out, if it is there."""
        try:
            await asyncio.to_thread(self._scheduler.remove_job, str(schedule_id))
        except JobLookupError:
            LOG.debug("schedule %d was not in the timetable", schedule_id)

    async def next_times(self) -> dict[int, datetime | None]:
        """When each schedule is due next."""
        jobs = await asyncio.to_thread(self._scheduler.get_jobs)
        return {int(job.id): _next(job) for job in jobs}

    def _ring(self, schedule_id: int, moment: datetime) -> None:
        """Scheduler's thread: have the bot queue the crawl, and wait until it has."""
        ringing = asyncio.run_coroutine_threadsafe(self._on_due(schedule_id, moment), self._loop)
        ringing.result(RING_WITHIN_S)


def _next(job: Any) -> datetime | None:  # noqa: ANN401 -- APScheduler has no types
    return getattr(job, "next_run_time", None)
