"""Updates worth answering only now: inline queries, of which a person's newest alone matters.

Whoever types `@bot tiger` sends a query with nearly every letter, and looks at the answer to the
last. So they are neither stored nor kept in order: of each person one is in hand and one waits, a
newer one takes its place, and what has waited too long, or was left by an earlier process, is let
go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telegram import Update

FRESH_S = 5.0
MOST_WAITING = 256  # people
MOST_IN_HAND = 8


class Fleeting:
    """What waits and what is in hand. Times are the event loop's."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[float, Update]] = {}
        self._in_hand: dict[int, int] = {}

    def put(self, user: int, update: Update, clock: float) -> None:
        """This is what the person wants now, and nothing older."""
        self._waiting.pop(user, None)
        self._waiting[user] = (clock, update)
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]

    def take(self, clock: float) -> Update | None:
        """The one that has waited longest and is still worth an answer."""
        if len(self._in_hand) >= MOST_IN_HAND:
            return None
        busy = set(self._in_hand.values())
        for user, (since, update) in list(self._waiting.items()):
            if clock - since > FRESH_S:
                del self._waiting[user]
            elif user not in busy:
                del self._waiting[user]
                self._in_hand[update.update_id] = user
                return update
        return None

    def finish(self, update_id: int) -> bool:
        """It leaves the hand; False for an update that never came this way."""
        return self._in_hand.pop(update_id, None) is not None
