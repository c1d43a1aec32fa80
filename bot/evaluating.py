"""The library's own examination: which metric finds best here, told to the admin who asked."""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import threading
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import TelegramError

from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Message
    from telegram.ext import ExtBot

    from bot.announcements import Place
    from bot.desk import Desk
    from bot.i18n import Translator
    from engine.library import Library

LOG = logging.getLogger(__name__)

EDIT_EVERY_S = 2.0


class Evaluating:
    """One examination at a time, in the background: its own Cancel button must get through."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._done = (0, 0)

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self._task is not None and not self._task.done()

    def begin(
        self,
        bot: ExtBot[int],
        message: Message,
        place: Place,
        metrics: Sequence[str],
        say: Translator,
    ) -> None:
        """Examine the library; `message` shows how far it is, and then the table."""
        self._stop = threading.Event()
        self._done = (0, 0)
        self._task = asyncio.create_task(self._run(bot, message, place, metrics, say))

    def cancel(self) -> bool:
        """End it at once; False when none is under way."""
        self._stop.set()
        return self.is_running

    async def close(self) -> None:
        """End it with the bot; its message says so."""
        self._stop.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await asyncio.shield(self._task)
            self._task.cancel()

    async def _run(
        self,
        bot: ExtBot[int],
        message: Message,
        place: Place,
        metrics: Sequence[str],
        say: Translator,
    ) -> None:
        stop = self._stop
        work = asyncio.create_task(
            self._desk.gallery.read(lambda library: self._examine(library, metrics, stop))
        )
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=EDIT_EVERY_S)
                if not work.done() and self._done[1]:
                    done, every = (say.number(each) for each in self._done)
                    text = say("evaluate.progress", done=done, every=every)
                    await _edit(message, text, cancel_button(say))
            found = await work
        except LookalikeError as error:
            await _edit(message, say.error(error))
            return
        except Exception:
            LOG.exception("the library could not be examined")
            await _edit(message, say("error.unexpected"))
            return
        if found is None:
            await _edit(message, say("evaluate.stopped"))
            return
        table, chart = found
        await _edit(message, f"<pre>{html.escape(table)}</pre>", is_html=True)
        try:
            await bot.send_photo(
                place.chat_id,
                chart,
                caption=say("evaluate.done"),
                message_thread_id=place.thread_id,
                reply_parameters=ReplyParameters(
                    message.message_id, allow_sending_without_reply=True
                ),
            )
        except TelegramError as error:
            LOG.warning("the chart could not be sent: %s", error)

    def _examine(
        self, library: Library, metrics: Sequence[str], stop: threading.Event
    ) -> tuple[str, bytes] | None:
        """Worker thread: the table and the chart; None when it was stopped."""
        from engine.evaluation.evaluating import evaluate_library
        from engine.evaluation.report import chart_png
        from engine.evaluation.tables import text_table

        found = evaluate_library(library, metrics=metrics, stop=stop, progress=self._note)
        return None if found is None else (text_table(found), chart_png(found))

    def _note(self, done: int, every: int) -> None:
        self._done = (done, every)


def cancel_button(say: Translator) -> InlineKeyboardMarkup:
    """The button that ends the examination."""
    key = InlineKeyboardButton(say("button.cancel"), callback_data="evaluate:cancel")
    return InlineKeyboardMarkup([[key]])


async def _edit(
    message: Message,
    text: str,
    markup: InlineKeyboardMarkup | None = None,
    *,
    is_html: bool = False,
) -> None:
    """Change the message, unless it is so already or gone."""
    try:
        await message.edit_text(
            text, reply_markup=markup, parse_mode=ParseMode.HTML if is_html else None
        )
    except TelegramError as error:
        LOG.debug("a message could not be edited: %s", error)
