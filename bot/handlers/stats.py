"""/stats: the running bot in figures, for admins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CommandHandler, filters

from bot.figures import Gathering, in_words
from bot.handlers.admins import only_admins

if TYPE_CHECKING:
    from telegram import Update

    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers


def handlers(desk: Desk) -> Handlers:
    """The command's handler."""
    gathering = Gathering(desk)

    async def stats(update: Update, context: Context) -> None:
        say = await desk.translator(update)
        figures = await gathering.figures()
        await desk.say(context.bot, update, in_words(figures, say))

    return [CommandHandler("stats", only_admins(desk, stats), filters.UpdateType.MESSAGE)]
