"""The line of waiting updates: in order per chat, fair between people, bounded.

PTB takes updates out of an `asyncio.Queue` and processes each as a task of its own. `Line` is that
queue. `put` stores the update in the inbox first, so PTB confirms only what is safe. `get` gives
out the next update of a chat that has none in hand, taking people in turn, so that somebody who
sends a hundred photos waits for himself. `bot.turns` tells the line
when an update is finished.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from telegram import Update

from bot.fleeting import Fleeting
from bot.inbox import STALE, Inbox, Received
from bot.intake import Intake, received_as
from bot.lanes import Album, Lane, Turn, asker
from bot.latency import Latency
from engine.schema import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor
    from datetime import datetime

    from telegram import Bot

T = TypeVar("T")

LOG = logging.getLogger(__name__)

ALBUM_PAUSE_S = 1.0  # an album arrives as separate updates; this long after the last it is whole
GREETING_WAITING = 8  # so many of one person's updates waiting earn a friendly word
MOST_WAITING = 40  # beyond this a person's updates are dropped
MOST_IN_HAND = 256
MOST_IN_LINE = 4000  # beyond this the bot stops fetching; Telegram keeps the rest
MOST_ATTEMPTS = 6


class Line(asyncio.Queue[object]):
    """See the module's text. One event loop only.

    Args:
        threads: Where the database is talked to.
        on_flood: Called as (update, number waiting, is dropped); returns whether the person is
            told. Not called again until the person's line is empty, for each of the two cases,
            once it has said so.
        on_message: Called with chat id and message id of whatever arrives.
    """

    def __init__(
        self,
        threads: Executor,
        on_flood: Callable[[Update, int, bool], bool],
        on_message: Callable[[int, int], None] = lambda chat_id, message_id: None,  # noqa: ARG005
    ) -> None:
        super().__init__()
        self._intake = Intake(threads)
        self._fleeting = Fleeting()
        self._began_at = now()
        self.latency = Latency()
        self._on_flood = on_flood
        self._on_message = on_message
        self._lanes: dict[tuple[int, int], Lane] = {}
        self._in_hand: dict[int, tuple[Lane, Turn]] = {}
        self._signals: deque[object] = deque()
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._dropped_for: set[int] = set()
        self._again: dict[int, float] = {}
        self._waiting = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    # From Telegram

    async def put(self, item: object) -> None:
        """Store an update durably, then let it wait for its turn. Blocks while the line is full."""
        if not isinstance(item, Update):
            self._signals.append(item)  # PTB's sign to stop
            self._changed.set()
            return
        if item.inline_query:
            self._fleeting.put(asker(item), item, asyncio.get_running_loop().time())
            self._changed.set()
            return
        await self._has_room.wait()
        if await self._intake.store(item):
            self._enter(received_as(item), item)

    async def open(self, inbox: Inbox, bot: Bot) -> list[Received]:
        """Take up what an earlier process left unanswered; from now on updates can be stored.

        Returns:
            What was left.
        """
        left = await self._intake.call(inbox.unanswered)
        stale = [r.update_id for r in left if now() - r.received_at > STALE]
        if stale:
            LOG.info("%d questions are older than a day: left unanswered", len(stale))
            await self._intake.call(inbox.done, stale)
        left = [received for received in left if received.update_id not in stale]
        for received in left:
            await self._take_up(received, inbox, bot)
        self._intake.open(inbox)
        return left

    async def _take_up(self, received: Received, inbox: Inbox, bot: Bot) -> None:
        try:
            update = Update.de_json(received.payload, bot)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            LOG.error("an update of before cannot be read and is left out: %r", error)  # noqa: TRY400 -- one line says it
            await self._intake.call(inbox.done, [received.update_id])
        else:
            self._enter(received, update, is_accepted=True)

    def _enter(self, received: Received, update: Update, *, is_accepted: bool = False) -> None:
        # Not of a pressed button: the message it is under may be old, with newer ones unknown.
        if update.message:
            self._on_message(update.message.chat.id, update.message.message_id)
        user = asker(update)
        chat = update.effective_chat.id if update.effective_chat else user
        lane = self._lanes.setdefault((chat, user), Lane(user, chat))
        if self._joins_album(lane, received, update):
            return
        waiting = len(lane.turns)
        if waiting >= MOST_WAITING and not is_accepted:
            self._finish_in_background([update.update_id])
            if user not in self._dropped_for and self._on_flood(update, waiting, True):  # noqa: FBT003 -- a plain callback
                self._dropped_for.add(user)
            return
        if waiting >= GREETING_WAITING and not lane.is_greeted and not is_accepted:
            lane.is_greeted = self._on_flood(update, waiting, False)  # noqa: FBT003 -- a plain callback
        message = update.message
        album_id = message.media_group_id if message else None
        pause_s = ALBUM_PAUSE_S if album_id else 0.0
        clock = asyncio.get_running_loop().time()
        lane.turns.append(Turn([received], [update], album_id, clock + pause_s))
        self._count(1)
        self._changed.set()

    def _joins_album(self, lane: Lane, received: Received, update: Update) -> bool:
        album_id = update.message.media_group_id if update.message else None
        for place, turn in enumerate(lane.turns):
            if album_id and turn.album_id == album_id:
                lane.turns[place] = Turn(
                    [*turn.received, received],
                    [*turn.updates, update],
                    album_id,
                    asyncio.get_running_loop().time() + ALBUM_PAUSE_S,
                )
                return True
        return False

    def _count(self, change: int) -> None:
        self._waiting += change
        if self._waiting >= MOST_IN_LINE:
            self._has_room.clear()
        else:
            self._has_room.set()

    # To PTB

    async def get(self) -> object:
        """The next update (or `Album`) whose turn it is."""
        while True:
            self._changed.clear()
            if self._signals:
                return self._signals.popleft()
            if self._is_closed or len(self._in_hand) >= MOST_IN_HAND:
                await self._changed.wait()
                continue
            clock = asyncio.get_running_loop().time()
            if (fleeting := self._fleeting.take(clock)) is not None:
                return fleeting
            lane, wake_at = self._next_lane(clock)
            if lane is not None:
                return self._give(lane)
            try:
                async with asyncio.timeout(None if wake_at is None else wake_at - clock):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _next_lane(self, clock: float) -> tuple[Lane | None, float | None]:
        chats = {lane.chat for lane, _ in self._in_hand.values()}
        # An answer begun and to be gone on with is looked for among the newest messages of its
        # chat: no other answer may come in between.
        chats |= {lane.chat for lane in self._lanes.values() if lane.is_interrupted(clock)}
        users = {lane.user for lane, _ in self._in_hand.values()}
        wake_at: float | None = None
        for lane in self._lanes.values():
            if not lane.turns or lane.chat in chats or (lane.user and lane.user in users):
                continue
            if lane.turns[0].not_before <= clock:
                return lane, None
            wake_at = min(wake_at or lane.turns[0].not_before, lane.turns[0].not_before)
        return None, wake_at

    def _give(self, lane: Lane) -> object:
        turn = lane.turns.popleft()
        self._count(-1)
        key = (lane.chat, lane.user)
        del self._lanes[key]  # to the end of the line …
        if lane.turns:
            self._lanes[key] = lane  # … if there is more
        else:
            self._dropped_for.discard(lane.user)
        self._in_hand[turn.ids[0]] = (lane, turn)
        return turn.updates[0] if len(turn.updates) == 1 else Album(tuple(turn.updates))

    def close(self) -> None:
        """Give out no more; what waits is left in the inbox for the next process."""
        self._is_closed = True
        self._has_room.set()

    def begun_after(self, update_id: int) -> int | None:
        """For an update in hand whose answer an earlier attempt began: see `Inbox.begin`."""
        held = self._in_hand.get(update_id)
        return (
            next((r.after for r in held[1].received if r.after is not None), None) if held else None
        )

    def received_at(self, update_id: int) -> datetime | None:
        """When an update in hand was received."""
        held = self._in_hand.get(update_id)
        return held[1].received[0].received_at if held else None

    async def begin(self, update_id: int, after: int) -> None:
        """Note durably that the answer to this update is about to be sent."""
        if held := self._in_hand.get(update_id):
            first = held[1].received
            first[0] = replace(first[0], after=after)
        inbox = await self._intake.opened()
        await self._intake.call(inbox.begin, update_id, after)

    async def show_notice(self, update_id: int, message_id: int) -> None:
        """Note durably that a message tells of the wait for this update's answer."""
        inbox = await self._intake.opened()
        await self._intake.call(inbox.show_notice, update_id, message_id)

    def try_again(self, update_id: int, at_least_s: float = 0.0) -> None:
        """The update in hand could not be answered now; let it wait and have another turn."""
        self._again[update_id] = at_least_s

    def attempts(self, update_id: int) -> int:
        """Failed attempts so far of an update in hand."""
        held = self._in_hand.get(update_id)
        return held[1].received[0].attempts if held else 0

    async def finish(self, update_id: int, *, is_answered: bool) -> None:
        """The update leaves the hand: it is done, waits again, or stays for the next process."""
        if self._fleeting.finish(update_id):
            self._changed.set()
            return
        held = self._in_hand.get(update_id)
        if held is None:
            return
        lane, turn = held
        try:
            if update_id in self._again:
                at_least_s = self._again.pop(update_id)
                inbox = await self._intake.opened()
                await self._intake.call(inbox.failed, turn.ids)
                self._wait_again(lane, turn, at_least_s)
            elif is_answered:
                self._measure(turn)
                inbox = await self._intake.opened()
                await self._intake.call(inbox.done, turn.ids)
        finally:
            del self._in_hand[update_id]
            self._changed.set()

    def _measure(self, turn: Turn) -> None:
        """Note how long an answer took; silence is none, and being down is no slowness."""
        last = turn.received[-1]  # of an album: it is whole only then
        is_answer = any(received.after is not None for received in turn.received)
        if is_answer and last.received_at >= self._began_at:
            self.latency.note((now() - last.received_at).total_seconds())

    def _wait_again(self, lane: Lane, turn: Turn, at_least_s: float) -> None:
        attempts = turn.received[0].attempts + 1
        received = [replace(each, attempts=attempts) for each in turn.received]
        wait_s = max(at_least_s, self._wait_s(attempts))
        not_before = asyncio.get_running_loop().time() + wait_s
        waiting = Turn(received, turn.updates, turn.album_id, not_before)
        self._lanes.setdefault((lane.chat, lane.user), lane).turns.appendleft(waiting)
        self._count(1)

    @staticmethod
    def _wait_s(attempts: int) -> float:
        """From two seconds to half an hour."""
        return 2.0 * 4.0 ** (attempts - 1)

    def _finish_in_background(self, update_ids: Iterable[int]) -> None:
        async def finish() -> None:
            inbox = await self._intake.opened()
            await self._intake.call(inbox.done, list(update_ids))

        task = asyncio.create_task(finish())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # PTB's ending: it waits for `join`, then drops what the queue still holds

    def task_done(self) -> None:
        """Nothing to count: `finish` keeps the books."""

    def empty(self) -> bool:
        """PTB drops what a queue still holds when it stops; nothing of this is to be dropped."""
        return True

    async def join(self) -> None:
        """PTB waits here when it stops; `Turns.finish_in_hand` has done the waiting already."""

    @property
    def waiting(self) -> int:
        """Number of turns that wait."""
        return self._waiting

    @property
    def in_hand(self) -> int:
        """Number of turns being answered right now."""
        return len(self._in_hand)
