"""While a question is worked on, its chat shows that something happens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

from telegram.constants import ChatAction
from telegram.error import TelegramError

if TYPE_CHECKING:
    from telegram import Update
    from telegram.ext import ExtBot

    from bot.desk import Desk
    from bot.i18n import Translator

ACTION_EVERY_S = 4.5  # Telegram shows a chat action for five seconds
NOTICE_AFTER_S = 6.0


class Busy:
    """While it lasts, the chat shows that something happens; after a while in words, too.

    Nothing here is worth a retry or a delay of the answer: it is told, not delivered.
    """

    def __init__(
        self,
        desk: Desk,
        bot: ExtBot[int],
        update: Update,
        say: Translator,
        *,
        chat_id: int,
        thread_id: int | None = None,
    ) -> None:
        self._line = desk.line
        self._update_id = update.update_id
        self._bot = bot
        self._chat_id = chat_id
        self._thread_id = thread_id
        self._say = say
        self._is_over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._act()), asyncio.create_task(self._notice())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over.set()
        act, notice = self._tasks
        act.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await act
        await notice

    async def _act(self) -> None:
        while True:
            with contextlib.suppress(TelegramError):
                await self._bot.send_chat_action(
                    self._chat_id,
                    ChatAction.UPLOAD_PHOTO,
                    message_thread_id=self._thread_id,
                )
            await asyncio.sleep(ACTION_EVERY_S)

    async def _notice(self) -> None:
        try:
            async with asyncio.timeout(NOTICE_AFTER_S):
                await self._is_over.wait()
        except TimeoutError:
            with contextlib.suppress(TelegramError):
                message = await self._bot.send_message(
                    self._chat_id,
                    self._say("answer.searching"),
                    message_thread_id=self._thread_id,
                    disable_notification=True,
                )
                await self._line.show_notice(self._update_id, message.message_id)
                await self._is_over.wait()
                await message.delete()
