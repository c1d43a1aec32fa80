"""/metric, /topk, /language and /settings: with a value at once, without one by buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.handlers.buttons import acknowledge, edit
from bot.i18n import LANGUAGES, Translator
from bot.questions import TOPK_RANGE, FlagError, parse_topk
from engine.errors import LookalikeError
from engine.metrics import METRICS, metric_named

if TYPE_CHECKING:
    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers

KINDS = ("metric", "topk", "language")


class Choosing:
    """The four commands and their buttons."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def command(self, update: Update, context: Context) -> None:
        """`/metric`, `/metric l1` and their like."""
        message = update.effective_message
        if message is None or message.text is None:
            return
        kind = message.text[1:].split()[0].split("@")[0].lower()
        say = await self._desk.translator(update)
        if not context.args:
            text, markup = await self._chooser(update, kind, say)
            await self._desk.say(context.bot, update, text, markup)
            return
        if not await self._desk.membership.may_decide(context.bot, update):
            await self._desk.say(context.bot, update, say("choose.admins"))
            return
        try:
            text = await self._choose(update, kind, context.args[0])
        except LookalikeError as error:
            text = say.error(error)
        await self._desk.say(context.bot, update, text)

    async def settings(self, update: Update, context: Context) -> None:
        """All choices at a glance, and buttons to change them."""
        say = await self._desk.translator(update)
        text, markup = await self._overview(update, say)
        await self._desk.say(context.bot, update, text, markup)

    async def pressed(self, update: Update, context: Context) -> None:
        """A button `set:<kind>:<value>`, or `set:<kind>:` to open a chooser."""
        query = update.callback_query
        if query is None or query.data is None:
            return
        kind, value = query.data.split(":", 2)[1:]
        say = await self._desk.translator(update)
        if not value:
            await acknowledge(query)
            await edit(query, *await self._chooser(update, kind, say))
            return
        if not await self._desk.membership.may_decide(context.bot, update):
            await acknowledge(query, say("choose.admins"))
            return
        try:
            text = await self._choose(update, kind, value)
        except LookalikeError as error:
            await acknowledge(query, say.error(error))
            return
        await acknowledge(query)
        await edit(query, text, None)

    async def _choose(self, update: Update, kind: str, value: str) -> str:
        """Store a choice and say so, in the language that holds from now on."""
        chat = update.effective_chat
        preferences = (await self._desk.opened()).preferences
        if chat is None:
            return ""
        if kind == "metric":
            name = metric_named(value).name
            await self._desk.call(lambda: preferences.choose(chat.id, metric=name))
            say = await self._desk.translator(update)
            return say("chosen.metric", metric=say(f"metric.{name}"))
        if kind == "topk":
            topk = parse_topk(value)
            await self._desk.call(lambda: preferences.choose(chat.id, topk=topk))
            return (await self._desk.translator(update)).count("chosen.topk", topk)
        language = value.lower()
        if language not in LANGUAGES:
            raise FlagError(
                f"I don't speak “{value[:20]}” yet; choose en or vi.",
                key="language",
                value=value[:20],
            )
        await self._desk.call(lambda: preferences.choose(chat.id, language=language))
        return Translator(language)("chosen.language")

    async def _chooser(
        self, update: Update, kind: str, say: Translator
    ) -> tuple[str, InlineKeyboardMarkup]:
        metric, topk = await self._in_force(update)
        if kind == "metric":
            offered = [(say(f"metric.{name}"), name, name == metric) for name in METRICS]
            width = 2
        elif kind == "topk":
            offered = [(say.number(n), str(n), n == topk) for n in TOPK_RANGE]
            width = 5
        else:
            offered = [(name, code, code == say.language) for code, name in LANGUAGES.items()]
            width = 2
        keys = [
            InlineKeyboardButton(
                f"✓ {label}" if is_now else label, callback_data=f"set:{kind}:{value}"
            )
            for label, value, is_now in offered
        ]
        rows = [keys[start : start + width] for start in range(0, len(keys), width)]
        return say(f"choose.{kind}"), InlineKeyboardMarkup(rows)

    async def _overview(self, update: Update, say: Translator) -> tuple[str, InlineKeyboardMarkup]:
        metric, topk = await self._in_force(update)
        text = say(
            "settings",
            metric=say(f"metric.{metric}"),
            topk=say.number(topk),
            language=LANGUAGES[say.language],
        )
        keys = [
            InlineKeyboardButton(say(f"button.set_{kind}"), callback_data=f"set:{kind}:")
            for kind in KINDS
        ]
        return text, InlineKeyboardMarkup([keys])

    async def _in_force(self, update: Update) -> tuple[str, int]:
        choices = await self._desk.choices(update)
        settings = self._desk.settings
        return choices.metric or settings.metric, choices.topk or settings.topk


def handlers(desk: Desk) -> Handlers:
    """Handlers of the commands and of their buttons."""
    choosing = Choosing(desk)
    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler(list(KINDS), choosing.command, new),
        CommandHandler("settings", choosing.settings, new),
        CallbackQueryHandler(choosing.pressed, pattern=r"^set:(metric|topk|language):"),
    ]
