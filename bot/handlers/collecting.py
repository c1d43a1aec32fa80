"""/add and /remove: an admin's pictures into the library, and a whole category out of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.handlers.admins import only_admins, refuse
from bot.handlers.buttons import acknowledge, edit
from bot.handlers.captioned import pictured, words_after
from bot.handlers.trouble import sentence
from bot.links import digest
from bot.pictures import fetch, picture_in
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from telegram import Message, Update

    from bot.app import Context
    from bot.crawling import Crawling
    from bot.desk import Desk
    from bot.handlers.captioned import Pictured
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator
    from engine.library import Library

LOG = logging.getLogger(__name__)


class Collecting:
    """The two commands and the buttons of the question before a removal."""

    def __init__(self, desk: Desk, crawling: Crawling) -> None:
        self._desk = desk
        self._crawling = crawling

    async def add(self, update: Update, context: Context, command: Pictured) -> None:
        """Pictures captioned `/add tiger`, or `/add tiger` as a reply to one."""
        if not self._desk.is_admin(update):
            await refuse(self._desk, update, context)
            return
        say = await self._desk.translator(update)
        messages = command.meant
        if not command.words or not messages:
            await self._desk.say(context.bot, update, say("add.usage"))
            return
        lines = []
        name = await self._desk.category(command.words)
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


def handlers(desk: Desk, crawling: Crawling) -> Handlers:
    """Handlers of the commands and buttons; before those of pictures, which take any caption."""
    collecting = Collecting(desk, crawling)
    new = filters.UpdateType.MESSAGE
    return [
        *pictured("add", collecting.add),
        CommandHandler("remove", only_admins(desk, collecting.remove), new),
        CallbackQueryHandler(
            only_admins(desk, collecting.pressed), pattern=r"^remove:(yes|no):[0-9a-f]{12}$"
        ),
    ]
