"""Inline queries wait briefly, one for each person, and pass the inbox by."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from telegram import Bot, InlineQuery, Update, User

from bot.fleeting import FRESH_S, MOST_IN_HAND, MOST_WAITING, Fleeting
from bot.inbox import Inbox
from bot.latency import Latency
from bot.line import Line
from engine.catalog import Catalog
from tests.bot.test_line import update as message

if TYPE_CHECKING:
    from pathlib import Path


def query(update_id: int, user: int = 1) -> Update:
    asked = InlineQuery(str(update_id), User(user, "Somebody", is_bot=False), "tiger", "")
    return Update(update_id, inline_query=asked)


def put(fleeting: Fleeting, update_id: int, user: int = 1, clock: float = 0.0) -> None:
    fleeting.put(user, query(update_id, user), clock)


def take(fleeting: Fleeting, clock: float = 0.0) -> int | None:
    taken = fleeting.take(clock)
    return taken.update_id if taken else None


def test_newest_of_a_person_takes_the_place_of_older_ones() -> None:
    fleeting = Fleeting()
    for update_id in (1, 2, 3):
        put(fleeting, update_id)
    assert take(fleeting) == 3
    assert take(fleeting) is None


def test_one_is_in_hand_for_each_person_while_others_go_on() -> None:
    fleeting = Fleeting()
    put(fleeting, 1)
    assert take(fleeting) == 1
    put(fleeting, 2)
    put(fleeting, 3, user=2)
    assert take(fleeting) == 3
    assert take(fleeting) is None
    assert fleeting.finish(1)
    assert take(fleeting) == 2
    assert not fleeting.finish(99)


def test_what_waited_too_long_is_let_go() -> None:
    fleeting = Fleeting()
    put(fleeting, 1)
    put(fleeting, 2, user=2, clock=3.0)
    assert take(fleeting, FRESH_S + 1) == 2
    assert take(fleeting, FRESH_S + 1) is None


def test_neither_hand_nor_line_grows_without_bound() -> None:
    fleeting = Fleeting()
    for user in range(MOST_WAITING + 50):
        put(fleeting, user, user=user)
    taken = [take(fleeting) for _ in range(MOST_IN_HAND + 5)]
    assert taken == [*range(50, 50 + MOST_IN_HAND), *[None] * 5]


async def test_line_gives_queries_out_first_and_stores_none(tmp_path: Path) -> None:
    with (
        Catalog.open(f"sqlite:///{tmp_path / 'bot.db'}") as catalog,
        ThreadPoolExecutor(1) as threads,
    ):
        line, inbox = Line(threads, lambda *_: None), Inbox(catalog, 1)
        await line.open(inbox, Bot("123:abc"))
        await line.put(message(1))
        await line.put(query(2))
        await line.put(query(3))
        async with asyncio.timeout(2):
            given = [await line.get() for _ in range(2)]
        assert [item.update_id for item in given if isinstance(item, Update)] == [3, 1]
        assert [received.update_id for received in inbox.unanswered()] == [1]
        await line.finish(3, is_answered=True)
        await line.put(query(4))
        async with asyncio.timeout(2):
            assert (await line.get()).update_id == 4  # type: ignore[attr-defined]


async def test_query_is_taken_before_the_database_is_open() -> None:
    """It must not hold up the polling; there may be no database for a while."""
    with ThreadPoolExecutor(1) as threads:
        line = Line(threads, lambda *_: None)
        async with asyncio.timeout(1):
            await line.put(query(1))


async def test_line_measures_answers_and_neither_silence_nor_failures(tmp_path: Path) -> None:
    with (
        Catalog.open(f"sqlite:///{tmp_path / 'bot.db'}") as catalog,
        ThreadPoolExecutor(1) as threads,
    ):
        line = Line(threads, lambda *_: None)
        await line.open(Inbox(catalog, 1), Bot("123:abc"))
        for update_id, is_begun, is_answered in (
            (1, True, True),
            (2, False, True),
            (3, True, False),
        ):
            await line.put(message(update_id, user=update_id))
            async with asyncio.timeout(2):
                await line.get()
            if is_begun:
                await line.begin(update_id, 0)
            await line.finish(update_id, is_answered=is_answered)
        measured = line.latency.percentiles()
    assert measured is not None
    assert measured.count == 1
    assert 0 <= measured.p50_s < 5


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    latency = Latency(remembered=100)
    assert latency.percentiles() is None
    for seconds in range(1000, 0, -1):
        latency.note(float(seconds))
    measured = latency.percentiles()
    assert measured is not None
    assert (measured.count, measured.p50_s, measured.p95_s, measured.p99_s) == (100, 50, 95, 99)
    one = Latency()
    one.note(-0.5)  # the clock was set back
    (single,) = {one.percentiles()}
    assert single is not None
    assert (single.p50_s, single.p99_s) == (0.0, 0.0)
