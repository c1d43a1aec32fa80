"""/random: one of everyone's pictures, drawn at random, with "another one" and "more like it"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.album import AlbumReply
from bot.exhibits import Exhibits
from bot.handlers.buttons import acknowledge
from bot.handlers.captioned import words_after
from bot.handlers.categories import like_key, reply_place
from bot.handlers.trouble import sentence
from bot.links import digest
from engine.errors import EmptyLibraryError, LookalikeError, StoreError

if TYPE_CHECKING:
    from telegram import Update

    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator


class Chance:
    """The command and its button."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._exhibits = Exhibits(desk)

    async def command(self, update: Update, context: Context) -> None:
        """`/random`, or `/random tiger` for one of a category."""
        message = update.message
        if message is None:
            return
        say = await self._desk.translator(update)
        written = words_after(message.text).lstrip("#")
        try:
            category = await self._category(written) if written else None
            await self._draw(update, context, say, category)
        except LookalikeError as error:
            await self._desk.say(context.bot, update, sentence(error, say))

    async def pressed(self, update: Update, context: Context) -> None:
        """The button `rnd:<image id>:<digest of the category, or nothing>`: another one."""
        query = update.callback_query
        if query is None or query.data is None:
            return
        say = await self._desk.translator(update)
        before, key = query.data.split(":")[1:]
        found = await self._exhibits.category(key) if key else None
        if key and found is None:
            await acknowledge(query, say("categories.gone"))
            return
        await acknowledge(query)
        category = found.category if found else None
        try:
            await self._draw(update, context, say, category, before=before)
        except LookalikeError as error:
            await self._desk.say(context.bot, update, sentence(error, say))

    async def _category(self, written: str) -> str:
        name = await self._desk.category(written)
        if any(each.category == name for each in await self._exhibits.categories()):
            return name
        raise await self._desk.gallery.read(lambda lib: lib.unknown_category(written))

    async def _draw(
        self,
        update: Update,
        context: Context,
        say: Translator,
        category: str | None,
        *,
        before: str = "",
    ) -> None:
        drawn = await self._exhibits.at_random(update.update_id, category=category, without=before)
        if drawn is None:
            raise EmptyLibraryError("The library is empty.", key="empty_library")
        place = await reply_place(self._desk, update)
        resume = await self._desk.begin(update, place.chat_id)
        key = digest(category) if category is not None else ""
        markup = InlineKeyboardMarkup([[
            like_key(drawn.image_id, say("button.like_it")),
            InlineKeyboardButton(
                say("button.another"), callback_data=f"rnd:{drawn.image_id}:{key}"
            ),
        ]])  # fmt: skip
        reply = AlbumReply(self._desk, context.bot, place, say, resume, markup)
        if not await reply.send([drawn]):
            raise StoreError("The file of a picture cannot be found.", key="files_gone")


def handlers(desk: Desk) -> Handlers:
    """Handlers of the command and its button."""
    chance = Chance(desk)
    return [
        CommandHandler("random", chance.command, filters.UpdateType.MESSAGE),
        CallbackQueryHandler(chance.pressed, pattern=r"^rnd:[0-9a-f]{16}:([0-9a-f]{12})?$"),
    ]
