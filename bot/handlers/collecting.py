"""/add and /remove: an admin's pictures into the library, and a whole category out of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot.handlers.admins import only_admins, words_after
from bot.handlers.buttons import acknowledge, edit
from bot.handlers.trouble import sentence
from bot.lanes import Album
from bot.links import digest
from bot.pictures import fetch, picture_in
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from telegram import Message, Update

    from bot.app import Context
    from bot.crawling import Crawling
    from bot.desk import Desk
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator
    from engine.library import Library

LOG = logging.getLogger(__name__)

ADD = r"^/add(@\w+)?(\s|$)"


class Collecting:
    """The two commands and the buttons of the question before a removal."""

    def __init__(self, desk: Desk, crawling: Crawling) -> None:
        self._desk = desk
        self._crawling = crawling

    async def captioned(self, update: Update, context: Context) -> None:
        """A picture captioned `/add tiger`."""
        if message := update.message:
            await self._add(update, context, [message], words_after(message.caption))

    async def replied(self, update: Update, context: Context) -> None:
        """`/add tiger` as a reply to a picture."""
        if message := update.message:
            pictures = [message.reply_to_message] if message.reply_to_message else []
            await self._add(update, context, pictures, words_after(message.text))

    async def album(self, album: Album, context: Context) -> None:
        """Several pictures at once, one of them captioned `/add tiger`."""
        messages = [update.message for update in album.updates if update.message]
        captions = (message.caption for message in messages if message.caption)
        await self._add(album.updates[0], context, messages, words_after(next(captions, "")))

    async def _add(
        self, update: Update, context: Context, messages: Sequence[Message], category: str
    ) -> None:
        say = await self._desk.translator(update)
        if not category or not messages:
            await self._desk.say(context.bot, update, say("add.usage"))
            return
        lines = []
        name = await self._desk.category(category)
        for message in messages:
            try:
                lines.append(await self._added(context, message, name, say))
            except LookalikeError as error:
                lines.append(sentence(error, say))
        text = "\n".join(dict.fromkeys(lines))
        if len(messages) > 1:
            count = sum(line == say("add.done", category=name) for line in lines)
            told = [line for line in dict.fromkeys(lines) if line != say("add.done", category=name)]
            text = "\n".join([say.count("add.several", count, category=name), *told])
        await self._desk.say(context.bot, update, text)

    async def _added(
        self, context: Context, message: Message, category: str, say: Translator
    ) -> str:
        picture = picture_in(message, is_largest=True)
        if picture is None:
            return say("add.usage")
        data = await fetch(self._desk, context.bot, picture.file_id)
        reason = await self._desk.gallery.write(lambda library: _add(library, data, category))
        if reason is None:
            return say("add.done", category=category)
        return say("add.refused", reason=say.reason(reason))

    async def remove(self, update: Update, context: Context) -> None:
        """`/remove tiger`: ask first."""
        message = update.message
        if message is None:
            return
        say = await self._desk.translator(update)
        written = words_after(message.text).lstrip("#")
        if not written:
            await self._desk.say(context.bot, update, say("remove.usage"))
            return
        category = await self._desk.category(written)
        count = await self._count(category)
        if count is None:
            try:
                raise await self._desk.gallery.read(lambda lib: lib.unknown_category(written))
            except LookalikeError as error:
                await self._desk.say(context.bot, update, say.error(error))
            return
        key = digest(category)
        markup = InlineKeyboardMarkup([[
            InlineKeyboardButton(say("button.remove"), callback_data=f"remove:yes:{key}"),
            InlineKeyboardButton(say("button.keep"), callback_data=f"remove:no:{key}"),
        ]])  # fmt: skip
        text = say.count("remove.sure", count, category=category)
        await self._desk.say(context.bot, update, text, markup)

    async def pressed(self, update: Update, _: Context) -> None:
        """The buttons `remove:yes:<digest>` and `remove:no:<digest>`."""
        query = update.callback_query
        if query is None or query.data is None:
            return
        say = await self._desk.translator(update)
        answer, key = query.data.split(":")[1:]
        if answer == "no":
            await acknowledge(query)
            await edit(query, say("remove.kept"), None)
            return
        stores = await self._desk.opened()
        names = [each.category for each in await self._desk.call(stores.catalog.categories)]
        category = next((name for name in names if digest(name) == key), None)
        if category is None:
            await acknowledge(query, say("remove.gone"))
            return
        await acknowledge(query)
        await self._crawling.cancel_category(category)
        try:
            count = await self._desk.gallery.write(lambda lib: lib.remove(category=category))
        except LookalikeError as error:
            await edit(query, sentence(error, say), None)
            return
        LOG.info("%d pictures of a category were removed", count)
        await edit(query, say.count("remove.done", count, category=category), None)

    async def _count(self, category: str) -> int | None:
        stores = await self._desk.opened()
        counts = await self._desk.call(stores.catalog.categories)
        return next((each.count for each in counts if each.category == category), None)


def _add(library: Library, data: bytes, category: str) -> str | None:
    """Worker thread: store a picture; returns why not, as the key of a reason."""
    from engine.crawl.adding import add_picture
    from engine.crawl.cleaning import Refusal

    added = add_picture(library, data, category)
    return added.reason.value if isinstance(added, Refusal) else None


class AlbumHandler(BaseHandler[Album, Any, None]):
    """Takes albums one of whose captions matches."""

    def __init__(
        self,
        callback: Callable[[Album, Any], Coroutine[Any, Any, None]],
        takes: Callable[[Album], bool],
    ) -> None:
        super().__init__(callback)
        self._takes = takes

    def check_update(self, update: object) -> bool:
        """Whether it is an album this handler takes."""
        return isinstance(update, Album) and self._takes(update)


def handlers(desk: Desk, crawling: Crawling) -> Handlers:
    """Handlers of the commands and buttons; before those of pictures, which take any caption."""
    import re

    collecting = Collecting(desk, crawling)
    new = filters.UpdateType.MESSAGE
    is_add = re.compile(ADD)

    def has_add(album: Album) -> bool:
        captions = (update.message.caption for update in album.updates if update.message)
        return any(is_add.match(caption) for caption in captions if caption)

    async def album(item: Album, context: Context) -> None:
        async def add(_: Update, context: Context) -> None:
            await collecting.album(item, context)

        await only_admins(desk, add)(item.updates[0], context)

    return [
        AlbumHandler(album, has_add),
        MessageHandler(new & filters.CaptionRegex(ADD), only_admins(desk, collecting.captioned)),
        CommandHandler("add", only_admins(desk, collecting.replied), new),
        CommandHandler("remove", only_admins(desk, collecting.remove), new),
        CallbackQueryHandler(
            only_admins(desk, collecting.pressed), pattern=r"^remove:(yes|no):[0-9a-f]{12}$"
        ),
    ]
