"""/export and /forget: one's own collection taken away, as zip files or for good."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputFile, ReplyParameters
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot import parcels
from bot.handlers.buttons import acknowledge, edit
from bot.handlers.trouble import sentence
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from telegram import Update

    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator
    from engine.library import Library

LOG = logging.getLogger(__name__)


class Leaving:
    """The two commands and the buttons of the question before a removal."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._membership = desk.membership

    async def export(self, update: Update, context: Context) -> None:
        """`/export`: everything, in as many zip files as it takes."""
        chat = update.effective_chat
        if chat is None:
            return
        say = await self._desk.translator(update)
        if not await self._membership.may_decide(context.bot, update):
            await self._desk.say(context.bot, update, say("mine.admins_only"))
            return
        catalog = (await self._desk.opened()).catalog
        photos = await self._desk.call(catalog.newest, chat.id)
        parts = await self._desk.call(parcels.parts_of, photos)
        if not parts:
            await self._desk.say(context.bot, update, say("mine.empty"))
            return
        place = await self._desk.place(update)
        resume = await self._desk.begin(update, chat.id)
        for number, part in enumerate(parts, 1):
            data = await self._desk.call(parcels.packed, part)
            name = "pictures.zip" if len(parts) == 1 else f"pictures-{number}.zip"
            text = say.count("export.done", len(part))
            if len(parts) > 1:
                which, of = say.number(number), say.number(len(parts))
                text += " · " + say("export.part", part=which, parts=of)
            await context.bot.send_document(
                chat.id,
                InputFile(data, filename=name),
                caption=text,
                message_thread_id=place.thread_id,
                reply_parameters=(
                    ReplyParameters(place.reply_to, allow_sending_without_reply=True)
                    if place.reply_to
                    else None
                ),
                rate_limit_args=resume,
            )

    async def forget(self, update: Update, context: Context) -> None:
        """`/forget`: ask first."""
        chat = update.effective_chat
        if chat is None:
            return
        say = await self._desk.translator(update)
        if not await self._membership.may_decide(context.bot, update):
            await self._desk.say(context.bot, update, say("mine.admins_only"))
            return
        count = await self._count(chat.id)
        if not count:
            await self._desk.say(context.bot, update, say("forget.nothing"))
            return
        await self._desk.say(context.bot, update, *_question(count, say))

    async def pressed(self, update: Update, context: Context) -> None:
        """The buttons `forget:yes:<count>` and `forget:no:<count>`."""
        query, chat = update.callback_query, update.effective_chat
        if query is None or query.data is None or chat is None:
            return
        say = await self._desk.translator(update)
        if not await self._membership.may_decide(context.bot, update):
            await acknowledge(query, say("mine.admins_only"))
            return
        await acknowledge(query)
        answer, asked = query.data.split(":")[1:]
        if answer == "no":
            await edit(query, say("forget.kept"), None)
            return
        count = await self._count(chat.id)
        if count > int(asked):  # there is more by now than was asked about
            await edit(query, *_question(count, say))
            return
        try:
            gone = await self._desk.gallery.write(lambda library: _clear(library, chat.id))
        except LookalikeError as error:
            await edit(query, sentence(error, say), None)
            return
        stores = await self._desk.opened()
        await self._desk.call(stores.questions.forget, chat.id)
        await self._desk.call(stores.catalog.flush_log)
        LOG.info("a collection of %d pictures was removed", gone)
        await edit(query, say("forget.done"), None)

    async def _count(self, owner: int) -> int:
        catalog = (await self._desk.opened()).catalog
        return len(await self._desk.call(catalog.ids_of, owner))


def _question(count: int, say: Translator) -> tuple[str, InlineKeyboardMarkup]:
    markup = InlineKeyboardMarkup([[
        InlineKeyboardButton(say("button.remove"), callback_data=f"forget:yes:{count}"),
        InlineKeyboardButton(say("button.keep"), callback_data=f"forget:no:{count}"),
    ]])  # fmt: skip
    return say.count("forget.sure", count), markup


def _clear(library: Library, owner: int) -> int:
    """Worker thread: remove everything of an owner."""
    from engine.holdings import Holdings

    return Holdings(library, owner).clear()


def handlers(desk: Desk) -> Handlers:
    """Handlers of the commands and the buttons."""
    leaving = Leaving(desk)
    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler("export", leaving.export, new),
        CommandHandler("forget", leaving.forget, new),
        CallbackQueryHandler(leaving.pressed, pattern=r"^forget:(yes|no):\d{1,9}$"),
    ]
