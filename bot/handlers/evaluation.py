"""/evaluate: which metric finds best in this library, with a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.evaluating import cancel_button
from bot.handlers.admins import only_admins
from bot.handlers.buttons import acknowledge
from bot.handlers.captioned import words_after
from engine.errors import LookalikeError
from engine.metrics import metric_named

if TYPE_CHECKING:
    from telegram import Update

    from bot.app import Context
    from bot.desk import Desk
    from bot.evaluating import Evaluating
    from bot.handlers.commands import Handlers


def handlers(desk: Desk, evaluating: Evaluating) -> Handlers:
    """Handlers of the command and of its button."""

    async def evaluate(update: Update, context: Context) -> None:
        message = update.message
        if message is None:
            return
        say = await desk.translator(update)
        try:
            words = words_after(message.text).replace(",", " ").split()
            metrics = [metric_named(word).name for word in words] or ["all"]
        except LookalikeError as error:
            await desk.say(context.bot, update, say.error(error))
            return
        if evaluating.is_running:
            await desk.say(context.bot, update, say("evaluate.running"))
            return
        shown = await desk.say(context.bot, update, say("evaluate.begun"), cancel_button(say))
        if shown is not None:
            place = await desk.place(update)
            evaluating.begin(context.bot, shown, place, metrics, say)

    async def cancel(update: Update, _: Context) -> None:
        if query := update.callback_query:
            say = await desk.translator(update)
            await acknowledge(query, None if evaluating.cancel() else say("evaluate.over"))

    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler("evaluate", only_admins(desk, evaluate), new),
        CallbackQueryHandler(only_admins(desk, cancel), pattern=r"^evaluate:cancel$"),
    ]
