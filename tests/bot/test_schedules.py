"""Crawls that come again: made, listed, ended, made up for after the bot was down, once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.timetable import Timetable
from engine.catalog import Catalog
from tests.bot.collection import Collection, collection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.playground import Playground, User
    from engine.config import Settings
    from tests.bot.conftest import RunBot

ADMIN = 9


@pytest.fixture
def site() -> Iterator[Collection]:
    with collection() as site:
        site.add("penguin", 30)
        yield site


@pytest.fixture
def admin(playground: Playground) -> User:
    return playground.user(ADMIN, "Ada", "en")


@pytest.fixture
def run_crawler(run_bot: RunBot, site: Collection) -> Any:
    return lambda **changes: run_bot(admin_ids=(ADMIN,), **site.settings, **changes)


async def told(playground: Playground, text: str, *, after: int = 0) -> dict[str, Any]:
    return await playground.until(
        ADMIN, lambda m: text in m.get("text", "") + m.get("caption", ""), 15, after=after
    )


async def say(user: User, text: str) -> dict[str, Any]:
    return await asyncio.to_thread(user.send_text, text)


def set_due(settings: Settings, bot_id: int, moment: datetime) -> None:
    """What the passing of time does: everything scheduled was due at `moment`."""
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    with Catalog.open(settings.database) as catalog:
        store = SQLAlchemyJobStore(engine=catalog.engine, tablename=f"timetable_{bot_id}")
        store.start(BackgroundScheduler(), "default")  # which never runs
        for job in store.get_all_jobs():
            job._modify(next_run_time=moment)
            store.update_job(job)


async def test_schedule_is_made_listed_and_ended(
    run_crawler: Any, playground: Playground, admin: User
) -> None:
    async with run_crawler():
        await say(admin, "/schedules")
        await told(playground, "Nothing is scheduled")
        await say(admin, "/schedule red panda 5 from commons daily at 3:05")
        made = await told(playground, "Scheduled:")
        await say(admin, "/schedule owl every 2 weeks")
        await told(playground, "every 2 weeks")
        await say(admin, "/schedules")
        listed = await told(playground, "Schedules:")
    assert "#1 red panda · 5 pictures · daily at 03:05 · next: " in made["text"]
    async with run_crawler():
        pressed = await asyncio.to_thread(admin.press, listed, "✕ #1")
        await asyncio.to_thread(playground.answer_to, pressed)
        await say(admin, "/unschedule #2")
        await told(playground, "Schedule #2 has ended.")
        sent = await say(admin, "/schedules")
        await told(playground, "Nothing is scheduled", after=sent["message_id"])
    edited = next(m for m in playground.answers(ADMIN) if m["message_id"] == listed["message_id"])
    assert "red panda" not in edited["text"]
    assert "owl" in edited["text"]


async def test_what_fell_due_while_the_bot_was_down_runs_once(
    run_crawler: Any, playground: Playground, admin: User, site: Collection, settings: Settings
) -> None:
    async with run_crawler() as bot:
        await say(admin, "/schedule penguin 3 every 10m")
        await told(playground, "Scheduled:")
        bot_id = bot.application.bot.id
    set_due(settings, bot_id, datetime.now(UTC) - timedelta(minutes=45))
    for _ in range(2):  # and not again after one more restart
        async with run_crawler():
            end = await told(playground, "penguin: 3 new pictures")
            await asyncio.sleep(1.0)
    assert "photo" in end
    crawls = [m for m in playground.answers(ADMIN) if "🕸 #" in m.get("text", "")]
    assert len(crawls) == 1, "four times were missed, and made up for by one crawl"
    assert "✅ Done" in crawls[0]["text"]
    assert len(site.fetched()) == 3


async def test_schedule_rings_while_the_bot_runs_and_comes_again(
    run_crawler: Any, playground: Playground, admin: User, settings: Settings
) -> None:
    async with run_crawler() as bot:
        await say(admin, "/schedule penguin 2 every 1h")
        await told(playground, "Scheduled:")
        bot_id = bot.application.bot.id
    for number in (1, 2):
        set_due(settings, bot_id, datetime.now(UTC) + timedelta(seconds=3))
        async with run_crawler():
            done = await told(playground, f"🕸 #{number} · penguin\n✅ Done")
            await told(playground, "new picture", after=done["message_id"])
    sheets = [m for m in playground.answers(ADMIN) if "new picture" in m.get("caption", "")]
    assert len(sheets) == 2


async def test_kill_between_queue_and_timetable_doubles_nothing(
    run_crawler: Any, playground: Playground, admin: User, site: Collection, settings: Settings
) -> None:
    """The crawl is queued, the next time not yet written down: the same time rings again."""
    async with run_crawler() as bot:
        await say(admin, "/schedule penguin 2 every 1h")
        await told(playground, "Scheduled:")
        bot_id = bot.application.bot.id
    moment = datetime.now(UTC) - timedelta(minutes=5)
    for _ in range(2):
        set_due(settings, bot_id, moment)
        async with run_crawler():
            await told(playground, "penguin: 2 new pictures")
            await asyncio.sleep(0.5)
    assert len(site.fetched()) == 2


async def test_timetable_told_to_stop_while_it_starts_ends_well(tmp_path: Path) -> None:
    async def never(_: int, __: datetime) -> None:
        raise AssertionError("nothing is due")

    with Catalog.open(f"sqlite:///{tmp_path / 'bot.db'}") as catalog:
        for number in range(20):
            timetable = Timetable(catalog, number, never)
            await asyncio.gather(timetable.start([]), timetable.stop())
            await timetable.stop()
            assert not timetable._scheduler.running
