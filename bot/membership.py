"""Who runs a group: its administrators, asked of Telegram and remembered for a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from telegram.error import BadRequest, Forbidden

if TYPE_CHECKING:
    from telegram import Update
    from telegram.ext import ExtBot

REMEMBERED_S = 60.0
MOST_REMEMBERED = 1024


class Membership:
    """Administrators of the groups the bot is in."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, frozenset[int]]] = {}

    async def may_change(self, bot: ExtBot[int], update: Update) -> bool:
        """Whether this update's sender may change what holds for the whole chat.

        In a private chat that is the person; in a group its administrators, also those who write
        anonymously as the group.

        Raises:
            TelegramError: Telegram cannot be asked.
        """
        chat, user, message = update.effective_chat, update.effective_user, update.effective_message
        if chat is None or user is None:
            return False
        if chat.type == chat.PRIVATE:
            return True
        is_pressed = update.callback_query is not None
        if not is_pressed and message and message.sender_chat and message.sender_chat.id == chat.id:
            return True
        return user.id in await self._administrators(bot, chat.id)

    async def _administrators(self, bot: ExtBot[int], chat_id: int) -> frozenset[int]:
        now = time.monotonic()
        until, known = self._known.get(chat_id, (0.0, frozenset()))
        if now < until:
            return known
        try:
            found = await bot.get_chat_administrators(chat_id)
        except (BadRequest, Forbidden):  # a chat without them, or one the bot has left
            return frozenset()
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        known = frozenset(member.user.id for member in found)
        self._known[chat_id] = (now + REMEMBERED_S, known)
        return known
