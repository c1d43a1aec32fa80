"""/save: a picture into one's own collection, or in a group into the group's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.busy import Busy
from bot.handlers.captioned import pictured
from bot.handlers.trouble import sentence
from bot.pictures import fetch, picture_in
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from datetime import datetime

    from telegram import Message, Update

    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.captioned import Pictured
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator
    from engine.crawl.cleaning import Refusal
    from engine.holdings import Kept
    from engine.library import Library

MOST_WORDS = 3
"""So many words are a category's name; more are a title."""
MOST_LETTERS = 64
TITLE_LETTERS = 200
_TAG = re.compile(r"(?<!\S)#(\w+)")


@dataclass(frozen=True, slots=True)
class Label:
    """Where a picture goes and what it is called."""

    category: str | None = None
    title: str | None = None


def label_of(words: str) -> Label:
    """What the words after `/save` mean.

    `#beach` names the category, and what stands beside it the picture; without a hashtag a few
    words name the category, and more the picture.
    """
    tag = _TAG.search(words)
    rest = " ".join(_TAG.sub(" ", words, count=1).split())[:TITLE_LETTERS].strip()
    if tag:
        return Label(tag[1].replace("_", " ").strip()[:MOST_LETTERS] or None, rest or None)
    if len(rest.split()) <= MOST_WORDS and len(rest) <= MOST_LETTERS:
        return Label(rest or None)
    return Label(title=rest)


class Saving:
    """The command."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def save(self, update: Update, context: Context, command: Pictured) -> None:
        """`/save beach` under a picture or an album, or as a reply to one."""
        desk, bot, chat = self._desk, context.bot, update.effective_chat
        if chat is None or _is_for_another(command, bot.username):
            return
        say = await desk.translator(update)
        if chat.type != chat.PRIVATE and not (await desk.choices(update)).may_save:
            await desk.say(bot, update, say("save.no_leave"))
            return
        place = await desk.place(update)
        async with Busy(desk, bot, update, say, chat_id=place.chat_id, thread_id=place.thread_id):
            text = await self._saved(update, context, command, say)
        await desk.say(bot, update, text)

    async def _saved(
        self, update: Update, context: Context, command: Pictured, say: Translator
    ) -> str:
        """Keep the pictures, and say what became of them."""
        label = label_of(command.words)
        is_group = update.effective_chat is not None and update.effective_chat.id < 0
        kept: dict[str, Kept] = {}
        trouble: list[str] = []
        for message in command.meant:
            try:
                result = await self._keep(update, context, message, label, say)
            except LookalikeError as error:
                trouble.append(sentence(error, say))
                continue
            if isinstance(result, str):
                trouble.append(result)
            else:
                kept.setdefault(result.photo.id, result)
        if not kept and not trouble:
            return say("save.usage")
        new = [each for each in kept.values() if each.is_new]
        lines = []
        if new:
            key = "save.done_group" if is_group else "save.done"
            category = new[-1].photo.category
            count, quota = (
                say.number(new[-1].count),
                say.number(self._desk.settings.collection_quota),
            )
            lines = [
                say.count(key, len(new), category=category),
                say("save.room", taken=count, quota=quota),
            ]
        known = [each for each in kept.values() if not each.is_new]
        lines += [say("save.known", category=each.photo.category) for each in known]
        return "\n".join(dict.fromkeys([*lines, *trouble]))

    async def _keep(
        self, update: Update, context: Context, message: Message, label: Label, say: Translator
    ) -> Kept | str:
        """Keep one picture; a text says why not."""
        chat = update.effective_chat
        picture = picture_in(message, is_largest=True)
        if picture is None or chat is None:
            return say("save.usage")
        data = await fetch(self._desk, context.bot, picture.file_id)
        category = label.category or say("save.category")
        since = self._desk.line.received_at(update.update_id)
        quota = self._desk.settings.collection_quota
        result = await self._desk.gallery.write(
            lambda library: _kept(
                library,
                chat.id,
                data,
                category=category,
                title=label.title,
                quota=quota,
                since=since,
            )
        )
        from engine.crawl.cleaning import Refusal

        if isinstance(result, Refusal):
            return say("save.refused", reason=say.reason(result.reason.value))
        return result


def _is_for_another(command: Pictured, username: str) -> bool:
    """Whether a caption names another bot: `/save@other_bot`."""
    captions = (message.caption or "" for message in command.own)
    named = (re.match(r"/\w+@(\w+)", caption) for caption in captions)
    return any(match and match[1].casefold() != username.casefold() for match in named)


def _kept(
    library: Library,
    owner: int,
    data: bytes,
    *,
    category: str,
    title: str | None,
    quota: int,
    since: datetime | None,
) -> Kept | Refusal:
    """Worker thread: store a picture for its owner."""
    from engine.holdings import Holdings

    return Holdings(library, owner).keep(data, category, title=title, quota=quota, since=since)


def handlers(desk: Desk) -> Handlers:
    """Handlers of the command; before those of pictures, which take any caption."""
    return pictured("save", Saving(desk).save)
