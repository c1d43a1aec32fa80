"""/schedule, /schedules and /unschedule: crawls that come again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.handlers.admins import only_admins, request_name
from bot.handlers.buttons import acknowledge, edit
from bot.handlers.captioned import words_after
from bot.orders import parse_schedule
from bot.recurrence import UNITS
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from datetime import datetime

    from telegram import Update

    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator
    from bot.recurrence import Recurrence
    from bot.rota import Rota
    from bot.schedules import Schedule


class ScheduleCommands:
    """The three commands and their button."""

    def __init__(self, desk: Desk, rota: Rota) -> None:
        self._desk = desk
        self._rota = rota

    async def schedule(self, update: Update, context: Context) -> None:
        """`/schedule tiger 50 from commons every 24h`."""
        message, user = update.message, update.effective_user
        if message is None or user is None:
            return
        say = await self._desk.translator(update)
        try:
            order, recurrence = parse_schedule(words_after(message.text))
            schedule, moment = await self._rota.add(
                order,
                recurrence,
                await self._desk.place(update),
                user_id=user.id,
                request=request_name(context, update),
            )
        except LookalikeError as error:
            await self._desk.say(context.bot, update, say.error(error))
            return
        text = f"{say('schedule.made')}\n{_line(schedule, moment, say)}"
        await self._desk.say(context.bot, update, text)

    async def schedules(self, update: Update, context: Context) -> None:
        """`/schedules`: all of them, each with a button that ends it."""
        say = await self._desk.translator(update)
        text, markup = await self._list(say)
        await self._desk.say(context.bot, update, text, markup)

    async def unschedule(self, update: Update, context: Context) -> None:
        """`/unschedule 3`."""
        message = update.message
        if message is None:
            return
        say = await self._desk.translator(update)
        written = words_after(message.text).lstrip("#")
        if not (written.isascii() and written.isdecimal() and len(written) < 10):
            await self._desk.say(context.bot, update, say("schedule.which"))
            return
        is_known = await self._rota.drop(int(written))
        key = "schedule.dropped" if is_known else "schedule.unknown"
        await self._desk.say(context.bot, update, say(key, id=int(written)))

    async def pressed(self, update: Update, _: Context) -> None:
        """The button `schedule:drop:<number>` under the list."""
        query = update.callback_query
        if query is None or query.data is None:
            return
        say = await self._desk.translator(update)
        number = int(query.data.rpartition(":")[2])
        is_known = await self._rota.drop(number)
        await acknowledge(query, None if is_known else say("schedule.unknown", id=number))
        await edit(query, *await self._list(say))

    async def _list(self, say: Translator) -> tuple[str, InlineKeyboardMarkup | None]:
        schedules = await self._rota.all()
        if not schedules:
            return say("schedule.none"), None
        lines = [_line(schedule, moment, say) for schedule, moment in schedules]
        keys = [
            InlineKeyboardButton(f"✕ #{each.id}", callback_data=f"schedule:drop:{each.id}")
            for each, _ in schedules
        ]
        rows = [keys[start : start + 4] for start in range(0, len(keys), 4)]
        return "\n".join([say("schedule.title"), *lines]), InlineKeyboardMarkup(rows)


def _line(schedule: Schedule, moment: datetime | None, say: Translator) -> str:
    return say(
        "schedule.line",
        id=schedule.id,
        topic=schedule.topic,
        wanted=say.number(schedule.wanted),
        recurrence=in_words(schedule.recurrence, say),
        next="–" if moment is None else say.moment(moment),
    )


def in_words(recurrence: Recurrence, say: Translator) -> str:
    """A recurrence as a person says it."""
    words = recurrence.words
    if recurrence.kind == "every":
        number, unit = int(words[0][:-1]), words[0][-1]
        return say.count(f"recurrence.{UNITS[unit]}", number)
    if recurrence.kind == "cron":
        return recurrence.written
    if recurrence.kind == "daily":
        return say("recurrence.daily", time=words[0])
    return say("recurrence.weekly", day=say(f"day.{words[0]}"), time=words[1])


def handlers(desk: Desk, rota: Rota) -> Handlers:
    """Handlers of the commands and of their button."""
    commands = ScheduleCommands(desk, rota)
    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler("schedule", only_admins(desk, commands.schedule), new),
        CommandHandler("schedules", only_admins(desk, commands.schedules), new),
        CommandHandler("unschedule", only_admins(desk, commands.unschedule), new),
        CallbackQueryHandler(
            only_admins(desk, commands.pressed), pattern=r"^schedule:drop:\d{1,9}$"
        ),
    ]
