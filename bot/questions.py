"""A question: which pictures, by which metric, how many, from where; and its memory for buttons."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete

from engine.errors import LookalikeError
from engine.metrics import metric_named
from engine.schema import Question as QuestionRow
from engine.schema import now

if TYPE_CHECKING:
    from engine.catalog import Catalog
    from engine.query import Scope

TOPK_RANGE = range(1, 11)  # an album holds at most ten
KEPT = timedelta(days=1)
CAPTION_COMMANDS = frozenset({"metric", "topk"})
CAPTION_SWITCHES = frozenset({"mirror", "denoise"})  # without a value

MOST_LETTERS = 300
"""Of the words of a question; text encoders read some 50 words."""

_PART = re.compile(
    r"(?<!\S)(?:/(?P<command>\w+)(?:@\w+)?(?:[\s=]+(?P<value>[^\s/#]\S*))?|#(?P<tag>\w+))"
)

_SWITCH = re.compile(r"(?<!\S)/(?:mirror|denoise)(?:@\w+)?(?!\S)", re.IGNORECASE)


class FlagError(LookalikeError):
    """Something in a caption or after a command cannot be used; the message says what can."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What a caption asks for; None where it says nothing."""

    metric: str | None = None
    topk: int | None = None
    category: str | None = None
    mirror: bool = False
    denoise: bool = False
    text: str | None = None
    """The words that are no flags."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, ready to be asked (again).

    Attributes:
        chat_id: Where the answer goes.
        reply_to: Message the answer replies to.
        thread_id: Topic of a forum the question came from.
        file_ids: Telegram files to look at, one or several.
        unique_ids: Telegram's name for the content of each file: the same for whoever sends it.
        like: Library pictures to look at (`more like #n`).
        text: Words to look for, alone or beside the pictures.
        metric: Canonical metric name.
        topk: 1 to 10.
        category: As the user wrote it, without the `#`.
        page: 0-based.
        mirror: Whether mirrored pictures are looked for, too.
        denoise: Whether noise is taken out of the files' pictures first.
        scope: Where it looks, see `engine.query.Query`; None: as the chat has chosen.
        shown: Image ids of the answer, by rank on this page, empty for a picture that could not be
            sent; filled in when answered.
        best: Category of the best match; filled in when answered.
    """

    chat_id: int
    reply_to: int
    metric: str
    topk: int
    thread_id: int | None = None
    file_ids: tuple[str, ...] = ()
    unique_ids: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    text: str | None = None
    category: str | None = None
    page: int = 0
    mirror: bool = False
    denoise: bool = False
    scope: Scope | None = None
    shown: tuple[str, ...] = ()
    best: str | None = None

    @property
    def key(self) -> str:
        """Twelve characters for callback data: the same question always has the same key.

        So an answer that is finished after a restart carries the very buttons it had before.
        """
        asked = json.dumps(asdict(replace(self, shown=(), best=None)), sort_keys=True)
        return hashlib.blake2b(asked.encode(), digest_size=9).hexdigest()[:12]


def parse_topk(value: str) -> int:
    """A number of matches from what a user typed.

    Raises:
        FlagError: Not a whole number from 1 to 10.
    """
    if not value.isascii() or not value.isdecimal() or int(value) not in TOPK_RANGE:
        raise FlagError(
            f"“{value}” is no number of pictures I can send: choose 1 to 10, e.g. /topk 5.",
            key="topk",
            value=value[:20],
        )
    return int(value)


def parse_flags(caption: str) -> Flags:
    """Read `/metric l1 /topk 3 #tiger /mirror /denoise` (any part, any order) out of a caption.

    Other words may stand between them; together they are the flags' `text`.

    Raises:
        FlagError: A part has no value, a wrong one, or is no flag at all.
        UnknownMetricError: No metric has this name.
    """
    flags = Flags()
    for part in _PART.finditer(caption):
        if tag := part["tag"]:
            flags = replace(flags, category=tag)
            continue
        command, value = part["command"].lower(), part["value"]
        if command in CAPTION_SWITCHES:
            is_mirror = command == "mirror"
            flags = replace(
                flags, mirror=flags.mirror or is_mirror, denoise=flags.denoise or not is_mirror
            )
            continue
        if command not in CAPTION_COMMANDS:
            raise FlagError(
                f"I don't know /{command} in a caption. "
                "You can write /metric l1, /topk 3, #tiger, /mirror or /denoise.",
                key="caption_command",
                command=command[:32],
            )
        if value is None:
            raise FlagError(
                f"/{command} needs a value, for example /metric l1 or /topk 3.",
                key="caption_value",
                command=command,
            )
        if command == "metric":
            flags = replace(flags, metric=metric_named(value).name)
        else:
            flags = replace(flags, topk=parse_topk(value))
    words = " ".join(_SWITCH.sub(" ", _PART.sub(_unless_switch, caption)).split())
    return replace(flags, text=words[:MOST_LETTERS] or None)


def _unless_switch(part: re.Match[str]) -> str:
    """Nothing, for a flag; a switch takes no value: what follows it is a word of its own."""
    is_switch = part["command"] and part["command"].lower() in CAPTION_SWITCHES
    return part[0] if is_switch else " "


class Questions:
    """Answered questions, kept a day so that their buttons work, also after a restart."""

    def __init__(self, catalog: Catalog, bot_id: int) -> None:
        self._catalog = catalog
        self._bot_id = bot_id

    def keep(self, question: Question) -> None:
        """Store the question under its key. Blocks on the database."""
        with self._catalog.session() as session:
            session.merge(
                QuestionRow(
                    key=question.key,
                    bot_id=self._bot_id,
                    chat_id=question.chat_id,
                    file_id=question.file_ids[0] if question.file_ids else "",
                    flags=asdict(question),
                    created_at=now(),
                )
            )

    def find(self, key: str, chat_id: int) -> Question | None:
        """The question behind a button of this chat; None when it is gone."""
        with self._catalog.session(read_only=True) as session:
            row = session.get(QuestionRow, key)
            if row is None or row.chat_id != chat_id or row.bot_id != self._bot_id:
                return None
            stored = dict(row.flags)
        for name in ("file_ids", "unique_ids", "like", "shown"):
            stored[name] = tuple(stored.get(name, ()))
        return Question(**stored)

    def forget(self, chat_id: int) -> None:
        """Forget all of a chat's questions."""
        with self._catalog.session() as session:
            session.execute(delete(QuestionRow).where(QuestionRow.chat_id == chat_id))

    def prune(self) -> None:
        """Forget questions older than a day."""
        with self._catalog.session() as session:
            session.execute(delete(QuestionRow).where(QuestionRow.created_at < now() - KEPT))
