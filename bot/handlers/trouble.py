"""What happens when a handler fails: another turn later, or a word of apology, never silence."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from telegram import Update
from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError

from bot.lanes import Album
from bot.line import MOST_ATTEMPTS
from bot.transport import FloodError
from engine.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from bot.app import Context
    from bot.desk import Desk
    from bot.i18n import Translator
    from engine.errors import LookalikeError

LOG = logging.getLogger(__name__)


def sentence(error: LookalikeError, say: Translator) -> str:
    """What a person is told; the log says more where it is the library that is out of order."""
    level = logging.ERROR if isinstance(error, StoreError) else logging.INFO
    LOG.log(level, "a question had no answer: %s", error)
    return say.error(error)


def handler(desk: Desk) -> Callable[[object, Context], Coroutine[Any, Any, None]]:
    """PTB's error handler."""

    async def failed(item: object, context: Context) -> None:
        update = item.updates[0] if isinstance(item, Album) else item
        error = context.error
        if not isinstance(update, Update):
            LOG.error("something failed beside all updates", exc_info=error)
            return
        if isinstance(error, Forbidden):
            await _forget(desk, update, error)
        elif isinstance(error, BadRequest):
            LOG.warning("Telegram refused an answer: %s", error)
            is_forbidden = "not enough rights" in str(error) or "_FORBIDDEN" in str(error)
            await _apologise(
                desk, update, context, "error.no_rights" if is_forbidden else "error.unexpected"
            )
        elif isinstance(error, FloodError | NetworkError | SQLAlchemyError):
            if desk.line.attempts(update.update_id) < MOST_ATTEMPTS:
                LOG.warning("an answer has to wait: %s", _in_short(error))
                pause_s = error.retry_after_s if isinstance(error, FloodError) else 0.0
                desk.line.try_again(update.update_id, pause_s)
            else:
                LOG.error("an answer was given up after many attempts: %s", _in_short(error))
        else:
            LOG.error("an update could not be handled", exc_info=error)
            await _apologise(desk, update, context, "error.unexpected")

    return failed


def _in_short(error: Exception) -> str:
    return str(error) if isinstance(error, TelegramError) else type(error).__name__


async def _apologise(desk: Desk, update: Update, context: Context, key: str) -> None:
    try:
        say = await desk.translator(update)
        await desk.say(context.bot, update, say(key))
    except (TelegramError, SQLAlchemyError) as error:
        LOG.warning("not even an apology could be sent: %s", _in_short(error))


async def _forget(desk: Desk, update: Update, error: Forbidden) -> None:
    """The bot was blocked or thrown out: drop the chat, and do not mind."""
    chat = update.effective_chat
    LOG.info("a chat is closed to the bot: %s", error)
    if chat is not None:
        await desk.call((await desk.opened()).preferences.forget, chat.id)
