"""/text, and plain words in a private chat: questions without a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CommandHandler, MessageHandler, filters

from bot.handlers.captioned import words_after
from bot.handlers.trouble import sentence
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from telegram import Update

    from bot.answer import Answerer
    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers


def handlers(desk: Desk, answerer: Answerer) -> Handlers:
    """Handlers of words."""

    async def ask(update: Update, context: Context, words: str) -> None:
        message = update.message
        if message is None:
            return
        say = await desk.translator(update)
        try:
            flags = desk.flags(words, context.bot)
            if flags.text is None:
                await desk.say(context.bot, update, say("text.usage"))
                return
            question = await desk.question(update, message, flags)
            await answerer.answer(context.bot, update, question, say)
        except LookalikeError as error:
            await desk.say(context.bot, update, sentence(error, say))

    async def command(update: Update, context: Context) -> None:
        if message := update.message:
            await ask(update, context, words_after(message.text))

    async def plain(update: Update, context: Context) -> None:
        if message := update.message:
            await ask(update, context, message.text or "")

    new = filters.UpdateType.MESSAGE
    private = filters.ChatType.PRIVATE & filters.TEXT & ~filters.COMMAND & ~filters.VIA_BOT
    return [
        CommandHandler("text", command, new),
        MessageHandler(new & private, plain),
    ]
