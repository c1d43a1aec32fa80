"""/start, /help and what is said to words that are no command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telegram.ext import BaseHandler, CommandHandler, MessageHandler, filters

from bot.handlers.addressing import is_addressed

if TYPE_CHECKING:
    from telegram import Update

    from bot.app import Context
    from bot.desk import Desk

Handlers = list[BaseHandler[Any, Any, None]]


def handlers(desk: Desk) -> Handlers:
    """The plain commands."""

    async def start(update: Update, context: Context) -> None:
        say = await desk.translator(update)
        await desk.say(context.bot, update, say("start"))

    async def show_help(update: Update, context: Context) -> None:
        say = await desk.translator(update)
        words = [say("help", bot=context.bot.username)]
        if desk.is_admin(update):
            words.append(say("help_admin"))
        await desk.say(context.bot, update, "\n\n".join(words))

    new = filters.UpdateType.MESSAGE
    return [CommandHandler("start", start, new), CommandHandler("help", show_help, new)]


def last_handlers(desk: Desk) -> Handlers:
    """For what nobody else took: one helpful line where the bot was spoken to, else silence."""

    async def unknown(update: Update, context: Context) -> None:
        message = update.message
        if message is None or not is_addressed(message, context.bot):
            return
        say = await desk.translator(update)
        is_command = bool(message.text and message.text.startswith("/"))
        await desk.say(context.bot, update, say("unknown_command" if is_command else "send_photo"))

    return [
        MessageHandler(filters.UpdateType.MESSAGE & ~filters.StatusUpdate.ALL, unknown),
    ]
