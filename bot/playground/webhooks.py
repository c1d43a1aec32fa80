"""Delivery to a webhook: in order within a chat, again and again until it is taken."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.playground.arguments import Arguments

if TYPE_CHECKING:
    from bot.playground.account import Account
    from bot.playground.gate import Gate

JSON = dict[str, Any]

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 -- the header's name
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 5.0
_TIMEOUT = aiohttp.ClientTimeout(total=60)


class Courier:
    """Carries one account's updates to its webhook while it has one."""

    def __init__(self, account: Account, gate: Gate) -> None:
        self._account = account
        self._gate = gate
        self._on_the_way: dict[int, int] = {}

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as client, asyncio.TaskGroup() as tasks:
            while True:
                update = await self._account.bell.sleep(self._next, 3600)
                if update is not None:
                    self._on_the_way[update["update_id"]] = _chat_of(update)
                    tasks.create_task(self._carry(client, update))

    def _next(self) -> JSON | None:
        hook = self._account.webhook
        if not hook or len(self._on_the_way) >= hook["max_connections"]:
            return None
        busy = set(self._on_the_way.values())
        for update in self._account.updates.waiting():
            if update["update_id"] not in self._on_the_way and _chat_of(update) not in busy:
                return update
        return None

    async def _carry(self, client: aiohttp.ClientSession, update: JSON) -> None:
        wait_s = _FIRST_WAIT_S
        try:
            while hook := self._account.webhook:
                failure = await self._offer(client, hook, update)
                if not failure:
                    self._account.updates.confirm(update["update_id"])
                    return
                hook |= {"last_error_date": int(time.time()), "last_error_message": failure}
                self._account.bell.ring()
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        finally:
            self._on_the_way.pop(update["update_id"], None)
            self._account.bell.ring()

    async def _offer(self, client: aiohttp.ClientSession, hook: JSON, update: JSON) -> str:
        """Post the update once; returns what went wrong, empty for nothing."""
        headers = {SECRET_HEADER: hook["secret"]} if hook["secret"] else {}
        try:
            async with client.post(hook["url"], json=update, headers=headers) as answer:
                if not answer.ok:
                    return f"Wrong response from the webhook: {answer.status} {answer.reason}"
                body = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"Connection failed: {type(error).__name__}"
        if body.lstrip().startswith("{"):
            await self._do(json.loads(body))
        return ""

    async def _do(self, wanted: JSON) -> None:
        """A webhook may answer with one call to be made."""
        name = str(wanted.pop("method", ""))
        if name:
            await self._gate.perform(self._account, name, Arguments(wanted))


def _chat_of(update: JSON) -> int:
    """The chat, or for an update without one its sender: within it the order is kept."""
    content = next(value for key, value in update.items() if key != "update_id")
    place = content.get("chat") or content.get("message", {}).get("chat") or content.get("from")
    return int(place["id"]) if place else 0
