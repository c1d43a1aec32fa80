"""/crawl and /crawls: order a crawl, see what runs and what ran, end one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import InlineKeyboardMarkup
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.handlers.admins import only_admins, request_name
from bot.handlers.buttons import acknowledge
from bot.handlers.captioned import words_after
from bot.orders import parse_order
from bot.progress import cancel_key, listed_text
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from telegram import Update

    from bot.app import Context
    from bot.crawling import Crawling
    from bot.desk import Desk
    from bot.handlers.commands import Handlers

MOST_LISTED = 15


class CrawlCommands:
    """The two commands and their button."""

    def __init__(self, desk: Desk, crawling: Crawling) -> None:
        self._desk = desk
        self._crawling = crawling

    async def crawl(self, update: Update, context: Context) -> None:
        """`/crawl tiger 50 from commons`: queue it; its message shows the rest."""
        message, user = update.message, update.effective_user
        if message is None or user is None:
            return
        say = await self._desk.translator(update)
        try:
            order = parse_order(words_after(message.text))
            place = await self._desk.place(update)
            joined = []
            for number, topic in enumerate(order.topics):
                entry, is_new = await self._crawling.order(
                    topic,
                    place,
                    wanted=order.wanted,
                    sources=order.sources,
                    user_id=user.id,
                    request=request_name(context, update, number),
                )
                if is_new:
                    await self._crawling.reports.announce(context.bot, entry.id)
                else:
                    joined.append(say("crawl.already", topic=entry.topic, id=entry.id))
        except LookalikeError as error:
            await self._desk.say(context.bot, update, say.error(error))
            return
        if joined:
            await self._desk.say(context.bot, update, "\n".join(joined))

    async def crawls(self, update: Update, context: Context) -> None:
        """`/crawls`: what waits and runs, each with a button to end it, and what has ended."""
        say = await self._desk.translator(update)
        stores = await self._desk.opened()
        recent = await self._desk.call(stores.crawls.recent, MOST_LISTED)
        if not recent:
            await self._desk.say(context.bot, update, say("crawls.none"))
            return
        is_open = [entry for entry in recent if entry.state in {"queued", "running"}]
        ended = [entry for entry in recent if entry not in is_open]
        lines = [listed_text(entry, say) for entry in [*reversed(is_open), *ended]]
        keys = [
            cancel_key(entry.id, f"{say('button.cancel')} #{entry.id}")
            for entry in reversed(is_open)
            if entry.chat_id is not None
        ]
        markup = InlineKeyboardMarkup([[key] for key in keys]) if keys else None
        text = "\n".join([say("crawls.title"), *lines])
        await self._desk.say(context.bot, update, text, markup)

    async def cancel(self, update: Update, _: Context) -> None:
        """The button `crawl:cancel:<number>`."""
        query = update.callback_query
        if query is None or query.data is None:
            return
        say = await self._desk.translator(update)
        entry = await self._crawling.cancel(int(query.data.rpartition(":")[2]))
        await acknowledge(query, say("crawl.is_over") if entry is None else None)


def handlers(desk: Desk, crawling: Crawling) -> Handlers:
    """Handlers of the commands and of their button."""
    commands = CrawlCommands(desk, crawling)
    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler("crawl", only_admins(desk, commands.crawl), new),
        CommandHandler("crawls", only_admins(desk, commands.crawls), new),
        CallbackQueryHandler(only_admins(desk, commands.cancel), pattern=r"^crawl:cancel:\d{1,9}$"),
    ]
