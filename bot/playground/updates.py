"""What waits for a bot: updates in order, kept until the bot has confirmed them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from bot.playground.errors import TERMINATED, WEBHOOK_IS_ACTIVE, ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.playground.bell import Bell

JSON = dict[str, Any]

LONGEST_POLL_S = 50
# Not sent unless asked for by name: https://core.telegram.org/bots/api#getupdates
_ONLY_BY_NAME = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class Updates:
    """The updates of one bot."""

    def __init__(self, bell: Bell, first_id: int) -> None:
        self._bell = bell
        self._next_id = first_id
        self._waiting: deque[JSON] = deque()
        self._poll = 0
        self.allowed: tuple[str, ...] = ()
        self.is_for_webhook = False

    def add(self, kind: str, content: JSON) -> int | None:
        """Queue an update of the kind, if the bot wants such; returns its id."""
        if kind not in self.allowed if self.allowed else kind in _ONLY_BY_NAME:
            return None
        with self._bell:
            update_id = self._next_id
            self._next_id += 1
            self._waiting.append({"update_id": update_id, kind: content})
            self._bell.ring()
        return update_id

    def allow(self, kinds: Sequence[str]) -> None:
        """Send only these kinds from now on; none: the default ones."""
        self.allowed = tuple(kinds)

    def waiting(self) -> list[JSON]:
        """What the bot has not confirmed yet."""
        with self._bell:
            return list(self._waiting)

    def drop(self) -> None:
        """Forget everything that waits."""
        with self._bell:
            self._waiting.clear()

    def confirm(self, update_id: int) -> None:
        """A webhook has taken this one."""
        with self._bell:
            self._waiting = deque(u for u in self._waiting if u["update_id"] != update_id)
            self._bell.ring()

    async def poll(self, offset: int, limit: int, timeout_s: int) -> list[JSON]:
        """`getUpdates`.

        Args:
            offset: First id wanted; earlier ones are confirmed. Negative: counted from the end.
            limit: At most so many.
            timeout_s: How long to wait for the first one.

        Raises:
            ApiError: Another poll has come, or a webhook is set.
        """
        with self._bell:
            self._poll += 1
            mine = self._poll
            self._bell.ring()
            if self.is_for_webhook:
                raise ApiError(409, WEBHOOK_IS_ACTIVE)
            self._confirm_before(offset)

        def look() -> bool:
            return bool(self._waiting) or self._poll != mine or self.is_for_webhook

        await self._bell.sleep(look, min(max(timeout_s, 0), LONGEST_POLL_S))
        with self._bell:
            if self._poll != mine:
                raise ApiError(409, TERMINATED)
            if self.is_for_webhook:
                raise ApiError(409, "terminated by setWebhook request")
            return list(self._waiting)[: limit if 1 <= limit <= 100 else 100]

    def _confirm_before(self, offset: int) -> None:
        if offset < 0:
            self._waiting = deque(list(self._waiting)[offset:])
        while self._waiting and self._waiting[0]["update_id"] < offset:
            self._waiting.popleft()
