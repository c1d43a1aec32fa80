"""Answers to pictures seen before: a photo that is forwarded on is neither fetched nor embedded."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bot.gallery import Found
    from bot.questions import Question

KEPT_S = 300.0
MOST_KEPT = 512


class Recall:
    """The last answers, by Telegram's own name for a file's content and all else that is asked."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[float, Found]] = OrderedDict()

    def get(self, question: Question, revision: Hashable, owner: int | None) -> Found | None:
        """The answer to this very question, if the library is still as it was.

        Args:
            question: With `unique_ids`; without them nothing is known.
            revision: Changes with the library.
            owner: Whose private pictures may be among the answers, if there are any: such an
                answer is for them alone.
        """
        key = self._key(question, revision, owner)
        until, found = self._known.get(key, (0.0, None))
        if time.monotonic() >= until:
            self._known.pop(key, None)
            return None
        return found

    def keep(self, question: Question, revision: Hashable, owner: int | None, found: Found) -> None:
        """Remember an answer, unless it was a makeshift."""
        if not question.unique_ids or found.fallback:
            return
        self._known[self._key(question, revision, owner)] = (time.monotonic() + KEPT_S, found)
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)

    @staticmethod
    def _key(question: Question, revision: Hashable, owner: int | None) -> Hashable:
        anybody = replace(
            question, chat_id=0, reply_to=0, thread_id=None, file_ids=(), shown=(), best=None
        )
        return (revision, owner, tuple(asdict(anybody).items()))
