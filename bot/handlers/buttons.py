"""The buttons under an answer: more like #n, next page, other metric."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from telegram.error import BadRequest
from telegram.ext import CallbackQueryHandler

from bot.answer import buttons, metric_buttons
from bot.handlers.trouble import sentence
from engine.errors import LookalikeError
from engine.metrics import METRICS

if TYPE_CHECKING:
    from telegram import CallbackQuery, InlineKeyboardMarkup, Update

    from bot.answer import Answerer
    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers
    from bot.questions import Question

LOG = logging.getLogger(__name__)


async def acknowledge(query: CallbackQuery, text: str | None = None) -> None:
    """Take the little clock off a pressed button; an old press can no longer be answered."""
    with contextlib.suppress(BadRequest):
        await query.answer(text[:200] if text else None, show_alert=bool(text))


async def edit(query: CallbackQuery, text: str, markup: InlineKeyboardMarkup | None) -> None:
    """Change the message the button is under, unless it is so already or gone."""
    try:
        await query.edit_message_text(text, reply_markup=markup)
    except BadRequest as error:
        if "not modified" not in str(error).lower():
            LOG.info("a message could not be edited: %s", error)


def handlers(desk: Desk, answerer: Answerer) -> Handlers:
    """Handlers of `q:<question's key>:<what>:<value>`, and of buttons nobody knows any more."""

    async def pressed(update: Update, context: Context) -> None:
        query, chat = update.callback_query, update.effective_chat
        if query is None or query.data is None:
            return
        say = await desk.translator(update)
        _, key, what, value = query.data.split(":", 3)
        questions = (await desk.opened()).questions
        question = await desk.call(questions.find, key, chat.id) if chat else None
        if question is None:
            await acknowledge(query, say("button.too_old"))
            return
        if what in {"metrics", "back"}:
            await acknowledge(query)
            markup = metric_buttons(question, say) if what == "metrics" else buttons(question, say)
            with contextlib.suppress(BadRequest):  # so already, or the message is gone
                await query.edit_message_reply_markup(markup)
            return
        asked = _next_question(question, what, value)
        if asked is None:
            await acknowledge(query, say("button.too_old"))
            return
        await acknowledge(query)
        try:
            await answerer.answer(context.bot, update, asked, say)
        except LookalikeError as error:
            await desk.say(context.bot, update, sentence(error, say))

    async def unknown(update: Update, _: Context) -> None:
        if update.callback_query:
            say = await desk.translator(update)
            await acknowledge(update.callback_query, say("button.too_old"))

    return [
        CallbackQueryHandler(
            pressed, pattern=r"^q:[0-9a-f]{12}:(like|page|metrics|metric|only|all|back):"
        ),
        CallbackQueryHandler(unknown),
    ]


def _next_question(question: Question, what: str, value: str) -> Question | None:
    """The question a button asks, None if the button makes no sense."""
    asked = replace(question, page=0, shown=(), best=None)
    number = int(value) if value.isdecimal() else -1
    is_liked = what == "like" and 0 <= number < len(question.shown)
    if what == "metric" and value in METRICS:
        return replace(asked, metric=value)
    if what == "page" and number >= 0:
        return replace(asked, page=number)
    if what == "all":
        return replace(asked, category=None)
    if what == "only" and question.best:
        return replace(asked, category=question.best)
    if is_liked and question.shown[number]:
        liked = (question.shown[number],)
        return replace(asked, like=liked, file_ids=(), text=None, denoise=False)
    return None
