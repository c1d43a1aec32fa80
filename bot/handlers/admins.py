"""What only admins may say: everybody else gets a one-line refusal, by words and by buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.handlers.buttons import acknowledge

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from telegram import Update

    from bot.app import Context
    from bot.desk import Desk

    Callback = Callable[[Update, Context], Coroutine[Any, Any, None]]


def only_admins(desk: Desk, callback: Callback) -> Callback:
    """A handler's callback that nobody but an admin gets through to."""

    async def guarded(update: Update, context: Context) -> None:
        if desk.is_admin(update):
            await callback(update, context)
            return
        await refuse(desk, update, context)

    return guarded


async def refuse(desk: Desk, update: Update, context: Context) -> None:
    """Tell somebody that only admins may do this."""
    say = await desk.translator(update)
    if update.callback_query:
        await acknowledge(update.callback_query, say("admins_only"))
    else:
        await desk.say(context.bot, update, say("admins_only"))


def request_name(context: Context, update: Update, number: int = 0) -> str:
    """Name of what an update asks for: the same when the update is handled again."""
    return f"{context.bot.id}:{update.update_id}:{number}"
