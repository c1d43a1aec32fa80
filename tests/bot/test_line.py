"""Updates wait in order, people take turns, and nothing grows without bound."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from telegram import Bot, CallbackQuery, Chat, Message, Update, User

from bot import line as module
from bot.inbox import Inbox, Received
from bot.lanes import Album
from bot.line import GREETING_WAITING, MOST_WAITING, Line
from bot.turns import Turns
from engine.catalog import Catalog
from engine.schema import now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

BOT = Bot("123:abc")


def update(
    update_id: int,
    user: int = 1,
    chat: int | None = None,
    album: str | None = None,
    text: str = "hello",
) -> Update:
    message = Message(
        update_id,
        datetime.now(UTC),
        Chat(chat or user, "private" if chat is None else "group"),
        from_user=User(user, "Somebody", is_bot=False),
        text=text,
        media_group_id=album,
    )
    return Update(update_id, message=message)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    with Catalog.open(f"sqlite:///{tmp_path / 'bot.db'}") as catalog:
        yield Inbox(catalog, 1)


@pytest.fixture
async def line(inbox: Inbox) -> AsyncIterator[Line]:
    floods: list[tuple[int, bool]] = []

    def on_flood(update: Update, _: int, is_dropped: bool) -> bool:
        floods.append((update.update_id, is_dropped))
        return "unheard" not in (update.message.text or "" if update.message else "")

    with ThreadPoolExecutor(1) as threads:
        line = Line(threads, on_flood)
        line.floods = floods  # type: ignore[attr-defined]
        await line.open(inbox, BOT)
        yield line


async def next_id(line: Line) -> int:
    async with asyncio.timeout(2):
        taken = await line.get()
    assert isinstance(taken, Update | Album)
    return taken.update_id


async def nothing_comes(line: Line) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await line.get()
    except TimeoutError:
        return True
    return False


async def test_update_is_stored_before_put_returns(line: Line, inbox: Inbox) -> None:
    await line.put(update(1))
    assert [r.update_id for r in inbox.unanswered()] == [1]


async def test_update_that_comes_twice_is_given_out_once(line: Line) -> None:
    await line.put(update(1))
    await line.put(update(1))
    await next_id(line)
    await line.finish(1, is_answered=True)
    assert await nothing_comes(line)


async def test_one_chat_is_answered_in_order_one_at_a_time(line: Line) -> None:
    await line.put(update(1))
    await line.put(update(2))
    assert await next_id(line) == 1
    assert await nothing_comes(line)
    await line.finish(1, is_answered=True)
    assert await next_id(line) == 2


async def test_people_take_turns_whatever_one_of_them_sends(line: Line) -> None:
    for update_id in (1, 2, 3, 4):
        await line.put(update(update_id, user=1))
    for update_id in (5, 6):
        await line.put(update(update_id, user=2))
    order = []
    for _ in range(6):
        order.append(await next_id(line))
        await line.finish(order[-1], is_answered=True)
    assert order == [1, 5, 2, 6, 3, 4]


async def test_one_person_in_many_groups_has_one_turn_at_a_time(line: Line) -> None:
    await line.put(update(1, user=1, chat=-10))
    await line.put(update(2, user=1, chat=-11))
    await line.put(update(3, user=2, chat=-11))
    assert await next_id(line) == 1
    assert await next_id(line) == 3


async def test_anonymous_admins_of_different_groups_do_not_wait_for_each_other(line: Line) -> None:
    for update_id, group in ((1, -10), (2, -11)):
        message = Message(
            update_id,
            datetime.now(UTC),
            Chat(group, "supergroup"),
            from_user=User(1087968824, "Group", is_bot=True),
            sender_chat=Chat(group, "supergroup"),
        )
        await line.put(Update(update_id, message=message))
    assert await next_id(line) == 1
    assert await next_id(line) == 2


async def test_message_under_a_pressed_button_is_no_sign_of_what_is_new(inbox: Inbox) -> None:
    noted: list[int] = []
    with ThreadPoolExecutor(1) as threads:
        line = Line(threads, lambda *_: None, lambda _, message_id: noted.append(message_id))
        await line.open(inbox, BOT)
        button = CallbackQuery("1", User(1, "S", is_bot=False), "x", message=update(7).message)
        await line.put(Update(8, callback_query=button))
        await line.put(update(9))
    assert noted == [9]


async def test_album_is_given_out_whole(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALBUM_PAUSE_S", 0.1)
    for update_id in (1, 2, 3):
        await line.put(update(update_id, album="a"))
    async with asyncio.timeout(2):
        album = await line.get()
    assert isinstance(album, Album)
    assert [each.update_id for each in album.updates] == [1, 2, 3]


async def test_flooding_earns_one_friendly_word_and_has_an_end(line: Line, inbox: Inbox) -> None:
    for update_id in range(1, MOST_WAITING + 5):
        await line.put(update(update_id))
    await asyncio.sleep(0.2)
    floods = line.floods  # type: ignore[attr-defined]
    assert [dropped for _, dropped in floods] == [False, True]
    assert len(inbox.unanswered()) == MOST_WAITING


async def test_friendly_word_that_nobody_was_told_is_said_at_the_next_update(line: Line) -> None:
    for update_id in range(1, MOST_WAITING + 4):
        is_heard = update_id in {GREETING_WAITING + 3, MOST_WAITING + 2}
        await line.put(update(update_id, text="heard" if is_heard else "unheard"))
    told_at = [update_id for update_id, is_dropped in line.floods if not is_dropped]  # type: ignore[attr-defined]
    assert told_at == [GREETING_WAITING + 1, GREETING_WAITING + 2, GREETING_WAITING + 3]
    dropped_at = [update_id for update_id, is_dropped in line.floods if is_dropped]  # type: ignore[attr-defined]
    assert dropped_at == [MOST_WAITING + 1, MOST_WAITING + 2]


async def test_full_line_stops_the_fetching(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IN_LINE", 2)
    await line.put(update(1, user=1))
    await line.put(update(2, user=2))
    third = asyncio.create_task(line.put(update(3, user=3)))
    await asyncio.sleep(0.05)
    assert not third.done()
    await next_id(line)
    async with asyncio.timeout(2):
        await third


async def test_no_more_are_given_out_than_can_be_in_hand(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_IN_HAND", 2)
    for user in (1, 2, 3):
        await line.put(update(user, user=user))
    assert [await next_id(line), await next_id(line)] == [1, 2]
    assert await nothing_comes(line)
    await line.finish(1, is_answered=True)
    assert await next_id(line) == 3


async def test_pause_that_the_server_asks_for_is_kept_before_the_next_turn(line: Line) -> None:
    clock = asyncio.get_running_loop().time()
    await line.put(update(1))
    await next_id(line)
    line.try_again(1, at_least_s=300)
    await line.finish(1, is_answered=True)
    _, wake_at = line._next_lane(clock)
    assert wake_at is not None
    assert wake_at > clock + 299


async def test_failed_update_has_another_turn(line: Line, inbox: Inbox) -> None:
    await line.put(update(1))
    await next_id(line)
    await line.begin(1, after=33)
    line.try_again(1)
    await line.finish(1, is_answered=True)
    (left,) = inbox.unanswered()
    assert (left.attempts, left.after) == (1, 33)


async def test_next_process_takes_up_what_was_left_and_drops_what_is_stale(inbox: Inbox) -> None:
    old = now() - timedelta(days=2)
    inbox.store(
        [Received(1, 1, update(1).to_dict(), old), Received(2, 1, update(2).to_dict(), now())]
    )
    with ThreadPoolExecutor(1) as threads:
        line = Line(threads, lambda *_: None)
        assert len(await line.open(inbox, BOT)) == 1
        assert await next_id(line) == 2
    assert [r.update_id for r in inbox.unanswered()] == [2]


async def test_next_process_drops_nothing_that_was_accepted_and_reads_past_what_it_cannot(
    inbox: Inbox,
) -> None:
    count = MOST_WAITING + 1  # one was in hand
    inbox.store([Received(n, 1, update(n).to_dict(), now()) for n in range(1, count + 1)])
    inbox.store([Received(count + 1, 1, {"update_id": "?", "message": {"chat": 1}}, now())])
    floods: list[int] = []
    with ThreadPoolExecutor(1) as threads:
        line = Line(threads, lambda update, *_: not floods.append(update.update_id))
        await line.open(inbox, BOT)
        for update_id in range(1, count + 1):
            assert await next_id(line) == update_id
            await line.finish(update_id, is_answered=True)
    assert not floods
    assert not inbox.unanswered()


async def test_what_is_given_out_at_the_last_moment_is_left_for_the_next_process(
    line: Line, inbox: Inbox
) -> None:
    turns = Turns(line)
    await line.put(update(1))
    given = await line.get()
    line.close()
    await turns.finish_in_hand(0.2)
    await turns.process_update(given, asyncio.sleep(60))
    assert [r.update_id for r in inbox.unanswered()] == [1]


async def test_what_is_cut_at_the_end_is_left_for_the_next_process(
    line: Line, inbox: Inbox
) -> None:
    turns = Turns(line)
    await line.put(update(1, user=1))
    await line.put(update(2, user=2))
    quick, slow = await line.get(), await line.get()
    asyncio.get_running_loop().create_task(turns.process_update(quick, asyncio.sleep(0.01)))
    task = asyncio.get_running_loop().create_task(turns.process_update(slow, asyncio.sleep(60)))
    await asyncio.sleep(0)
    line.close()
    await turns.finish_in_hand(0.2)
    assert task.cancelled()
    assert [r.update_id for r in inbox.unanswered()] == [2]
