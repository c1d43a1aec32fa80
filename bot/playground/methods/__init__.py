"""The methods of the Bot API, by topic. Each takes a `Call` and gives what `result` will hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.playground.methods import about, albums, edits, fetching, queries, rooms, sending

if TYPE_CHECKING:
    from bot.playground.calls import Method

METHODS: dict[str, Method] = {
    name.lower(): method
    for module in (about, albums, edits, fetching, queries, rooms, sending)
    for name, method in module.METHODS.items()
}
"""By name in lower case: Telegram takes names in any case."""
