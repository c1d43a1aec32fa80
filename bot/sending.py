"""One message (or album), sent once: the ids a lost message can have, and the look for it."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from telegram.error import BadRequest

from bot.transport import FloodError, UnclearError

JSON = dict[str, Any]
Result = bool | JSON | list[JSON]
Persist = Callable[[Callable[[], Coroutine[Any, Any, Result]], JSON], Coroutine[Any, Any, Result]]

SUPERGROUP_BELOW = (
    -1_000_000_000_000
)  # chat ids of supergroups and channels: a counter of their own
REMEMBERED = 4096  # ids known of the numbering that chats share
REMEMBERED_OF_CHAT = 256  # … and of a chat by itself
PROBES = 96  # at most so many ids are looked at to find a lost message
# Looked at beyond the newest id we know of: other chats' messages under way have taken ids, too.
AHEAD = 12
SETTLE_S = 2.0
AHEAD_AFTER_RESTART = 40  # a new process knows of hardly any


@dataclass(frozen=True, slots=True)
class Call:
    """PTB's own way to make a call, with its timeouts."""

    callback: Callable[..., Coroutine[Any, Any, Result]]
    kwargs: dict[str, Any]

    async def __call__(self, endpoint: str, data: dict[str, Any]) -> Result:
        """Make the call, once."""
        return await self.callback(endpoint, data, **self.kwargs)


@dataclass(slots=True)
class _Counter:
    """Message ids of one numbering: of all private chats and small groups, or of one supergroup."""

    most: int
    known: set[int] = field(default_factory=set)
    order: deque[int] = field(default_factory=deque)
    newest: int = 0

    def note(self, message_id: int) -> bool:
        """Remember the id; False if it was known."""
        if message_id in self.known:
            return False
        self.known.add(message_id)
        self.order.append(message_id)
        if len(self.order) > self.most:
            self.known.discard(self.order.popleft())
        self.newest = max(self.newest, message_id)
        return True


class MessageIds:
    """Every message id the bot has come across: a gap among them may be a lost message."""

    def __init__(self) -> None:
        self._shared = _Counter(REMEMBERED)
        self._chats: dict[int, _Counter] = defaultdict(partial(_Counter, REMEMBERED_OF_CHAT))
        # Telegram numbers private chats together; other servers may number each chat by itself.
        self._is_shared = True
        self._under_way: set[asyncio.Future[None]] = set()

    def _counter(self, chat_id: int) -> _Counter:
        if not self._is_shared or chat_id < SUPERGROUP_BELOW:
            return self._chats[chat_id]
        return self._shared

    def note(self, chat_id: int, message_id: int) -> None:
        """A new message of this chat is known: just received, or surely sent."""
        is_new_here = self._chats[chat_id].note(message_id)
        if chat_id > SUPERGROUP_BELOW:
            is_new = self._shared.note(message_id)
            if is_new_here and not is_new:
                self._is_shared = False
        if len(self._chats) > 4096:
            del self._chats[next(iter(self._chats))]

    def newest(self, chat_id: int) -> int:
        """The highest id in this chat's numbering; 0 while nothing new has come along in it."""
        return self._counter(chat_id).newest

    @contextmanager
    def taking(self) -> Iterator[None]:
        """While this lasts, a call may be given ids that are not known yet."""
        ended = asyncio.get_running_loop().create_future()
        self._under_way.add(ended)
        try:
            yield
        finally:
            self._under_way.discard(ended)
            ended.set_result(None)

    async def settle(self) -> None:
        """Wait until the calls under way have told their ids, or have lasted for too long."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=SETTLE_S)

    def unaccounted(self, chat_id: int, after: int, ahead: int) -> list[int]:
        """Ids above `after` that lost messages of this chat can have, ascending.

        Args:
            chat_id: The chat.
            after: The newest id before the messages were sent. Without one (0) there is nowhere to
                look: what lies below may be answers of long ago, and an edit would change them.
            ahead: How far beyond the newest known id to go.
        """
        if not after:
            return []
        counter = self._counter(chat_id)
        last = max(counter.newest, after) + ahead
        return [i for i in range(after + 1, last + 1) if i not in counter.known][:PROBES]


@dataclass(slots=True)
class Sending:
    """One `send…` call, made until each of its messages is in the chat, once.

    Attributes:
        persist: Makes an attempt again and again until it works.
        ahead: See `MessageIds.unaccounted`.
        found: Messages that turned out to be there, by their place in the album.
        must_look: Whether the last attempt may have left something behind.
    """

    call: Call
    endpoint: str
    data: dict[str, Any]
    chat_id: int
    after: int
    ids: MessageIds
    persist: Persist
    ahead: int = AHEAD
    found: dict[int, JSON] = field(default_factory=dict)
    must_look: bool = False

    async def __call__(self) -> Result:
        """Send what is not there yet, after a look where the last attempt was unclear."""
        if self.must_look:
            await self.look()
        places = [place for place in range(self._count) if place not in self.found]
        if places:
            data = self.data
            if self.endpoint == "sendMediaGroup":
                data = {**data, "media": [data["media"][place] for place in places]}
            try:
                with self.ids.taking():
                    result = await self.call(self.endpoint, data)
                    self._note(result)
            except UnclearError:
                self.must_look = True
                raise
            except FloodError:
                self.must_look = self._count > 1
                raise
            if not self.found:
                return result
            sent = result if isinstance(result, list) else [result]
            self.found.update(zip(places, (m for m in sent if isinstance(m, dict)), strict=False))
        messages = [self.found[place] for place in sorted(self.found)]
        return messages if self.endpoint == "sendMediaGroup" else messages[0]

    def _note(self, result: Result) -> None:
        for message in result if isinstance(result, list) else [result]:
            if isinstance(message, dict) and "message_id" in message and "chat" in message:
                self.ids.note(message["chat"]["id"], message["message_id"])

    @property
    def _count(self) -> int:
        return len(self.data["media"]) if self.endpoint == "sendMediaGroup" else 1

    async def look(self) -> None:
        """Find which of the messages are in the chat already."""
        await self.ids.settle()
        place = min(set(range(self._count)) - set(self.found), default=None)
        for message_id in self.ids.unaccounted(self.chat_id, self.after, self._count + self.ahead):
            while place is not None and place in self.found:
                place += 1
            if place is None or place >= self._count:
                break
            if await self._is_there(message_id, place):
                self.ids.note(self.chat_id, message_id)
                self.found[place] = {
                    "message_id": message_id,
                    "date": 0,
                    "chat": {"id": self.chat_id, "type": "private"},
                }
        self.must_look = False

    async def _is_there(self, message_id: int, place: int) -> bool:
        endpoint, content = self._edit_to_itself(place)
        data = {"chat_id": self.chat_id, "message_id": message_id, **content}

        async def edit() -> Result:
            return await self.call(endpoint, data)

        try:
            await self.persist(edit, data)
        except BadRequest as error:
            return "not modified" in str(error).lower()
        return True

    def _edit_to_itself(self, place: int) -> tuple[str, dict[str, Any]]:
        """The edit that changes nothing if the message is the one that was to be sent."""
        markup = {"reply_markup": self.data["reply_markup"]} if "reply_markup" in self.data else {}
        if self.endpoint == "sendMediaGroup":
            return "editMessageCaption", {"caption": self.data["media"][place].caption}
        if "text" in self.data:
            return "editMessageText", {"text": self.data["text"], **markup}
        return "editMessageCaption", {"caption": self.data.get("caption"), **markup}
