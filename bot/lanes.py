"""Who waits for what: turns, and the lane of each person in each chat."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telegram import Update

    from bot.inbox import Received


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One or, for an album, several updates that are answered together.

    Attributes:
        received: The stored updates, in order.
        album_id: Telegram's `media_group_id`, if they are an album.
        not_before: Loop time from which it may be given out.
    """

    received: list[Received]
    updates: list[Update]
    album_id: str | None = None
    not_before: float = 0.0

    @property
    def ids(self) -> list[int]:
        """Ids of the updates."""
        return [update.update_id for update in self.updates]


@dataclass(frozen=True, slots=True)
class Album:
    """Several photos sent at once: what the handlers get instead of an `Update`."""

    updates: tuple[Update, ...]

    @property
    def update_id(self) -> int:
        """Id of the first update, which stands for all."""
        return self.updates[0].update_id


@dataclass(slots=True)
class Lane:
    """What one person has waiting in one chat."""

    user: int
    chat: int
    turns: deque[Turn] = field(default_factory=deque)
    is_greeted: bool = False

    def is_interrupted(self, clock: float) -> bool:
        """Whether the first answer was begun and waits for another attempt."""
        first = self.turns[0] if self.turns else None
        return bool(first and first.not_before > clock and first.received[0].after is not None)


def asker(update: Update) -> int:
    """Who waits for this one's answers: anonymous admins and channels all write as one user."""
    if update.message and update.message.sender_chat:
        return update.message.sender_chat.id
    return update.effective_user.id if update.effective_user else 0
