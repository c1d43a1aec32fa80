"""One bot on the server: its chats, its files, what waits for it, and what it has been asked."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.playground.chats import Chat, Person, is_for_bot
from bot.playground.errors import BLOCKED, ApiError, bad_request
from bot.playground.files import Files
from bot.playground.profile import Profile
from bot.playground.updates import Updates

if TYPE_CHECKING:
    from bot.playground.bell import Bell
    from bot.playground.chats import ChatKind
    from bot.playground.files import Media

JSON = dict[str, Any]

QUERY_LIFETIME_S = 900.0
ACTION_LIFETIME_S = 5.0
EVENTS_KEPT = 10_000


@dataclass(slots=True)
class Asked:
    """A callback or inline query that waits for the bot's answer.

    Attributes:
        answer: What the bot has answered.
    """

    id: str
    person: Person
    chat_id: int
    at: float = field(default_factory=time.monotonic)
    answer: JSON | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person in the chat can see happen."""

    number: int
    kind: str
    chat_id: int
    content: JSON


class Account:
    """Everything of one bot. Methods may be called from any thread.

    Attributes:
        events: What happened of late, in order; the page and the waiting helpers read it.
    """

    def __init__(self, token: str, username: str, bell: Bell, *, name: str, first_id: int) -> None:
        self.token = token
        self.id = int(token.partition(":")[0])
        self.username = username
        self.name = name
        self.bell = bell
        self.chats: dict[int, Chat] = {}
        self.files = Files(self.id)
        self.updates = Updates(bell, first_id)
        self.profile = Profile()
        self.webhook: JSON = {}
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.callbacks: dict[str, Asked] = {}
        self.inline: dict[str, Asked] = {}
        self.reads_groups = False
        self._happened = 0
        self._numbers = itertools.count(1)
        # Private chats and small groups share one numbering, every supergroup has its own.
        self._message_ids = itertools.count(1)
        self._supergroup_ids: dict[int, itertools.count[int]] = {}

    def me(self) -> JSON:
        """`getMe`."""
        return {
            **self.as_user(),
            "can_join_groups": True,
            "can_read_all_group_messages": self.reads_groups,
            "supports_inline_queries": True,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def as_user(self) -> JSON:
        """The bot as the sender of a message."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.profile.text("name", "", self.name),
            "username": self.username,
        }

    def unique_number(self) -> int:
        """A number that no other thing of this bot has."""
        return next(self._numbers)

    def new_unique_id(self) -> str:
        """A `file_unique_id` that no other file has."""
        return f"AQAD{self.id % 10_000:04d}{self.unique_number():06d}"

    def open_chat(self, chat: Chat) -> Chat:
        """Add a chat, unless the bot is in it already."""
        with self.bell:
            return self.chats.setdefault(chat.id, chat)

    def chat(self, chat_id: int | str) -> Chat:
        """A chat by its id, or by `@username` of its person.

        Raises:
            ApiError: The bot has never been there.
        """
        if isinstance(chat_id, str) and chat_id.startswith("@"):
            for chat in self.chats.values():
                if chat.as_json().get("username") == chat_id[1:]:
                    return chat
            raise bad_request("chat not found")
        if not str(chat_id).strip():
            raise bad_request("chat_id is empty")
        try:
            chat = self.chats[int(chat_id)]
        except (ValueError, KeyError):
            raise bad_request("chat not found") from None
        if not chat.has_started:
            raise bad_request("chat not found")
        return chat

    def writable(self, chat_id: int | str) -> Chat:
        """A chat that the bot may send to.

        Raises:
            ApiError: There is no such chat, or the bot is blocked there.
        """
        chat = self.chat(chat_id)
        if chat.is_blocked:
            group = "bot was kicked from the group chat"
            raise ApiError(403, BLOCKED if chat.kind == "private" else group)
        return chat

    def next_message_id(self, chat: Chat) -> int:
        """The next free message id of the chat's numbering."""
        if chat.kind != "supergroup":
            return next(self._message_ids)
        return next(self._supergroup_ids.setdefault(chat.id, itertools.count(1)))

    def post(self, chat: Chat, sender: JSON, content: JSON) -> JSON:
        """Put a new message into a chat; tells the bot of it if a person sent it."""
        with self.bell:
            message: JSON = {
                "message_id": self.next_message_id(chat),
                "from": sender,
                "chat": chat.as_json(),
                "date": int(time.time()),
                **content,
            }
            chat.messages[message["message_id"]] = message
            if sender["is_bot"]:
                chat.action = ("", 0.0)
            elif chat.kind == "private" or self.reads_groups or is_for_bot(message, self.username):
                self.updates.add("message", message)
            self.record("message", chat, message)
        return message

    def change(self, chat: Chat, message: JSON) -> None:
        """Replace a message by its edited form; tells the bot of it if a person edited it."""
        with self.bell:
            message["edit_date"] = int(time.time())
            chat.messages[message["message_id"]] = message
            if not message["from"]["is_bot"] and (
                chat.kind == "private" or self.reads_groups or is_for_bot(message, self.username)
            ):
                self.updates.add("edited_message", message)
            self.record("edited", chat, message)

    def delete(self, chat: Chat, message_id: int) -> bool:
        """Take a message away; False if it was not there."""
        with self.bell:
            found = chat.messages.pop(message_id, None)
            if found is not None:
                self.record("deleted", chat, {"message_id": message_id})
            return found is not None

    def show_action(self, chat: Chat, action: str) -> None:
        """Show for five seconds what the bot is doing."""
        with self.bell:
            chat.action = (action, time.time() + ACTION_LIFETIME_S)
            self.record("action", chat, {"action": action})

    def ask(self, asked: dict[str, Asked], person: Person, chat_id: int) -> Asked:
        """Note a new callback or inline query."""
        with self.bell:
            number = f"{self.id % 1000}{time.time_ns()}{self.unique_number()}"
            asked[number] = Asked(number, person, chat_id)
            return asked[number]

    def answer(self, asked: dict[str, Asked], number: str, content: JSON) -> Asked | None:
        """The bot's answer to such a query; `None` if it is unknown, answered or too old."""
        with self.bell:
            query = asked.get(number)
            if query is None or query.answer is not None:
                return None
            if time.monotonic() - query.at > QUERY_LIFETIME_S:
                return None
            query.answer = content
            self.bell.ring()
            return query

    def expire_queries(self) -> None:
        """Make every button pressed and every inline query so far too old to be answered."""
        with self.bell:
            for query in [*self.callbacks.values(), *self.inline.values()]:
                query.at -= QUERY_LIFETIME_S

    def record(self, kind: str, chat: Chat, content: JSON) -> None:
        """Note what happened, for the page and for those who wait."""
        with self.bell:
            self._happened += 1
            self.events.append(Event(self._happened, kind, chat.id, content))
            self.bell.ring()

    def message_media(self, media: Media) -> JSON:
        """Fields of a message that carries `media`, whose files the bot can name from now on."""
        with self.bell:
            self.files.keep(media)
            return self.files.fields(media)


def private_chat(person: Person, *, has_started: bool = True) -> Chat:
    """The chat of a person with the bot."""
    return Chat(person.id, "private", person.name, {person.id: person}, has_started=has_started)


def group_chat(
    chat_id: int, title: str, people: list[Person], *, kind: ChatKind, is_forum: bool = False
) -> Chat:
    """A group that the bot is in."""
    members = {person.id: person for person in people}
    return Chat(chat_id, kind, title, members, is_forum=is_forum)
