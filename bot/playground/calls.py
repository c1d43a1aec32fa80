"""A call of the Bot API: what a method gets, and what stays on record of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.playground.account import Account
    from bot.playground.arguments import Arguments
    from bot.playground.chats import Chat

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as a method gets it.

    Attributes:
        album_items: Not `None`: refuse an album for flooding after so many of its items.
    """

    account: Account
    arguments: Arguments
    album_items: int | None = None
    retry_after: int = 1

    def chat(self) -> Chat:
        """The chat of the argument `chat_id`."""
        return self.account.chat(self.arguments.text("chat_id"))


Method = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Record:
    """What stays of a call.

    Attributes:
        method: In lower case; `download` for a file.
        status: HTTP status of the answer; 0 if the connection was cut.
        description: Words of the error; empty where there was none.
        fault: Kind of fault that was put in its way; empty for none.
        took_effect: Whether the call did what it says.
        at: When it came, seconds since the epoch.
        seconds: How long it took.
    """

    method: str
    arguments: JSON
    status: int
    description: str
    fault: str
    took_effect: bool
    at: float
    seconds: float
