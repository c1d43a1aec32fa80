"""Calls to Telegram that survive Telegram: retries, flood waits, and messages sent exactly once.

The Bot API has no key that makes a repeated `sendMessage` harmless, and no way to list a chat. So a
failed call is judged by what it can have done:

- It never reached the server (no connection, upload cut short), or the server refused it (429, 400,
  403): it had no effect. Repeat it, after the wait that was asked for, or report it.
- It can be repeated without harm (everything that is not `send…`): repeat it.
- A `send…` whose answer was lost (reset, timeout, 5xx), or an album under 429, which Telegram may
  send in part: look whether the message is there. Its id must be one of the few that nobody has
  told us about since; *editing such a message to exactly the content it should have* answers
  "message is not modified" where it is there and "not found" where it is not, and changes nothing
  in either case. Then only what is missing is sent again.

A message that appears after we looked (a server that was slow for longer than our timeout) is the
one case left in which a person could see it twice.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from telegram.error import BadRequest, ChatMigrated, NetworkError
from telegram.ext import BaseRateLimiter

from bot.sending import AHEAD_AFTER_RESTART, Call, MessageIds, Result, Sending
from bot.transport import FloodError, Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

LOG = logging.getLogger(__name__)

WORTH_A_WORD_S = 0.5
QUIET_S = 60.0
_BEST_EFFORT = frozenset({"sendChatAction"})


class Courier(BaseRateLimiter[int]):
    """Stands between PTB and the server: every call of the bot goes through `process_request`.

    `rate_limit_args=after` on a `send…` call says that an earlier process may have sent this very
    message, with an id above `after`: it is looked for first.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._resume_at: dict[object, float] = {}
        self._quiet_until = 0.0
        self.message_ids = MessageIds()

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def process_request(  # noqa: PLR0917 -- PTB's signature
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: object,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Result:
        """Make the call until it has worked, once.

        Raises:
            TelegramError: The server refuses, or has been in trouble for too long.
        """
        del args  # the same endpoint and data that are given by name
        call = Call(callback, kwargs)
        if endpoint in _BEST_EFFORT:
            return await call(endpoint, data)
        sending = None
        if endpoint.startswith("send") and "chat_id" in data:
            chat_id = int(data["chat_id"])
            after = self.message_ids.newest(chat_id) if rate_limit_args is None else rate_limit_args
            sending = Sending(call, endpoint, data, chat_id, after, self.message_ids, self._persist)
            if rate_limit_args is not None:
                sending.ahead = AHEAD_AFTER_RESTART
                await sending.look()
        return await self._persist(sending or Plain(call, endpoint, data), data)

    async def _persist(
        self, attempt: Callable[[], Coroutine[Any, Any, T]], data: dict[str, Any]
    ) -> T:
        waits = self._patience.waits()
        while True:
            await self._wait_for_turn(data.get("chat_id"))
            try:
                return await attempt()
            except FloodError as error:
                if error.retry_after_s > self._patience.longest_flood_s:
                    raise
                LOG.info("Telegram asks for a pause of %g s", error.retry_after_s)
                self._pause(data.get("chat_id"), error.retry_after_s)
            except ChatMigrated as error:
                if data.get("chat_id") == error.new_chat_id:
                    raise
                data["chat_id"] = error.new_chat_id
            except BadRequest:
                raise
            except NetworkError as error:
                wait_s = next(waits, None)
                if wait_s is None:
                    raise
                LOG.debug("a call failed (%s); again in %.1f s", error, wait_s)
                if wait_s > WORTH_A_WORD_S:
                    self._warn(error)
                await asyncio.sleep(wait_s)

    def _warn(self, error: NetworkError) -> None:
        """Say that the server is in trouble, now and then."""
        clock = asyncio.get_running_loop().time()
        if clock >= self._quiet_until:
            self._quiet_until = clock + QUIET_S
            LOG.warning("Telegram's server cannot be reached (%s); trying on", error)

    def _pause(self, chat_id: object, seconds: float) -> None:
        clock = asyncio.get_running_loop().time()
        if len(self._resume_at) > 1024:
            self._resume_at = {key: at for key, at in self._resume_at.items() if at > clock}
        self._resume_at[chat_id] = clock + seconds + random.uniform(0.02, 0.2)

    async def _wait_for_turn(self, chat_id: object) -> None:
        wait_s = self._resume_at.get(chat_id, 0.0) - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)


@dataclass(frozen=True, slots=True)
class Plain:
    """A call that can be repeated without harm."""

    call: Call
    endpoint: str
    data: dict[str, Any]

    async def __call__(self) -> Result:
        """Make the call, once."""
        return await self.call(self.endpoint, self.data)
