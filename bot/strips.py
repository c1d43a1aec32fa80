"""What an inline query finds: a strip of pictures that Telegram has already.

An inline result can only be a picture that has a file id, and there is no chat that a picture could
be uploaded to without somebody being bothered. So a strip shows what this bot has sent before, in
whatever answer, and a button leads to the rest: what is looked at there is in the strip next time.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bot.exhibits import Exhibits
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.desk import Desk
    from bot.exhibits import Exhibit
    from engine.catalog import CategoryCount
    from engine.library import Library
    from engine.search import Match

MOST = 50
"""Results that one answer may hold."""
MOST_CATEGORIES = 20
MOST_PAGES = 4
"""Pages of matches that are looked at for pictures that can be shown."""
LAST_PAGE = 40
WORDS_WITHIN_S = 3.0
ANEW_EVERY_S = 600
"""So often an empty query begins at another picture."""

KEPT_S = 3.0
"""So long categories are kept: a word is typed in that time."""

_NUMBERED = re.compile(r"(?P<kind>[cw])(?P<at>\d{1,6})")
_ANY = re.compile(r"r(?P<first>[0-9a-f]{16}):(?P<start>[0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Piece:
    """A picture that can be shown: `file_id` is this bot's."""

    exhibit: Exhibit
    file_id: str


@dataclass(frozen=True, slots=True)
class Strip:
    """One page of an inline query's results.

    Attributes:
        next_offset: Asks for the next page; empty on the last one.
        fitting: The categories that fit the words.
        is_first: Whether it is the first page.
    """

    pieces: tuple[Piece, ...] = ()
    next_offset: str = ""
    fitting: tuple[CategoryCount, ...] = ()
    is_first: bool = True


class Strips:
    """Finds strips."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._exhibits = Exhibits(desk)
        self._categories: tuple[float, list[CategoryCount]] = (float("-inf"), [])

    async def find(self, words: str, offset: str = "") -> Strip:
        """The pictures for what somebody typed.

        They are found by category, else by what they show, if the encoder reads words. For nothing
        typed there are any pictures.

        Args:
            words: As typed.
            offset: Empty, or the last strip's `next_offset`. It has been out of this program's
                hands: one that makes no sense finds nothing.
        """
        words = " ".join(words.split())
        if not words:
            return await self._any(offset)
        read = _NUMBERED.fullmatch(offset or "w0")
        if read is None:
            return Strip(is_first=False)
        counts = await self._counted()
        fitting = fitting_categories(words, counts)
        if not fitting and read["kind"] == "w":
            strip = await self._by_words(words, int(read["at"]), is_first=not offset)
            if strip is not None or offset:
                return strip or Strip(is_first=False)
        fitting = fitting or _nearest(words, counts)
        if not fitting:
            return Strip(is_first=not offset)
        return await self._of(fitting, int(read["at"]), is_first=not offset)

    async def _counted(self) -> list[CategoryCount]:
        since, counts = self._categories
        if time.monotonic() - since >= KEPT_S:
            counts = await self._exhibits.categories()
            self._categories = (time.monotonic(), counts)
        return counts

    async def _any(self, offset: str) -> Strip:
        """All pictures that Telegram has, from somewhere among them once round to there."""
        anew = _anew()
        read = _ANY.fullmatch(offset or f"r{anew}:{anew}")
        if read is None:
            return Strip(is_first=False)
        first, start = read["first"], read["start"]
        file_ids = (await self._desk.opened()).file_ids
        is_round = first < start
        known = await self._desk.call(
            lambda: file_ids.shared_from(first, limit=MOST + 1, before=start if is_round else None)
        )
        if not is_round and len(known) <= MOST:
            known |= await self._desk.call(
                lambda: file_ids.shared_from("", limit=MOST + 1 - len(known), before=start)
            )
        names = list(known)
        more = f"r{names[MOST]}:{start}" if len(names) > MOST else ""
        return Strip(await self._pieces(names[:MOST], known), more, is_first=not offset)

    async def _of(self, fitting: Sequence[CategoryCount], at: int, *, is_first: bool) -> Strip:
        """Pictures of these categories that Telegram has."""
        file_ids = (await self._desk.opened()).file_ids
        names = [each.category for each in fitting]
        known = await self._desk.call(lambda: file_ids.shared(names, limit=MOST + 1, offset=at))
        more = f"c{at + MOST}" if len(known) > MOST else ""
        pieces = await self._pieces(list(known)[:MOST], known)
        return Strip(pieces, more, tuple(fitting), is_first=is_first)

    async def _by_words(self, words: str, page: int, *, is_first: bool) -> Strip | None:
        """None where words cannot be compared with pictures, now or at all."""
        try:
            async with asyncio.timeout(WORDS_WITHIN_S):
                if page > LAST_PAGE or not await self._desk.gallery.read(_reads_words):
                    return None
                return await self._shown(words, page, is_first=is_first)
        except (LookalikeError, TimeoutError):
            return None

    async def _shown(self, words: str, page: int, *, is_first: bool) -> Strip:
        """The next page of matches with a picture that Telegram has."""
        file_ids = (await self._desk.opened()).file_ids
        for number in range(page, page + MOST_PAGES):
            matches = await self._matches(words, number)
            if is_first and number == page and all(match.is_weak for match in matches):
                break  # words that mean nothing here
            names = [match.image_id for match in matches]
            known = await self._desk.call(file_ids.known, names)
            is_last = len(matches) < MOST or number == LAST_PAGE
            if known or is_last:
                pieces = await self._pieces([n for n in names if n in known], known)
                return Strip(pieces, "" if is_last else f"w{number + 1}", is_first=is_first)
        return Strip(is_first=is_first)

    async def _matches(self, words: str, page: int) -> Sequence[Match]:
        from engine.search import Query

        found = await self._desk.gallery.ask(Query(text=words, metric="clip", topk=MOST, page=page))
        return found.matches

    async def _pieces(self, names: Sequence[str], known: Mapping[str, str]) -> tuple[Piece, ...]:
        exhibits = await self._exhibits.of(names)
        return tuple(Piece(each, known[each.image_id]) for each in exhibits)


def fitting_categories(words: str, counts: Sequence[CategoryCount]) -> list[CategoryCount]:
    """Categories that may be meant while somebody types.

    That is the one of this name; without one, names that begin so, then words of names.
    """
    typed = _folded(words)
    ranked = []
    for each in counts:
        name = _folded(each.category)
        if name == typed:
            ranked.append((0, each))
        elif name.startswith(typed):
            ranked.append((1, each))
        elif f" {typed}" in f" {name}":
            ranked.append((2, each))
    ranked.sort(key=lambda pair: pair[0])
    if ranked and ranked[0][0] == 0:
        ranked = [pair for pair in ranked if pair[0] == 0]
    return [each for _, each in ranked][:MOST_CATEGORIES]


def _nearest(words: str, counts: Sequence[CategoryCount]) -> list[CategoryCount]:
    """The category that somebody may have meant who mistyped it, as a list of one or none."""
    by_name = {_folded(each.category): each for each in counts}
    return [by_name[name] for name in get_close_matches(_folded(words), by_name, n=1, cutoff=0.75)]


def _folded(text: str) -> str:
    return " ".join(re.split(r"[\s_-]+", text.casefold())).strip()


def _anew() -> str:
    """Somewhere among all image ids, another place every few minutes: ids lie evenly."""
    return f"{random.Random(int(time.time() // ANEW_EVERY_S)).getrandbits(64):016x}"


def _reads_words(library: Library) -> bool:
    """Whether the encoder is there already: nobody waits for one while typing."""
    encoder = library.encoder
    return encoder is not None and encoder.is_loaded and encoder.load(timeout_s=0).has_text
