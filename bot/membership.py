"""Membership: who may decide for a chat. In private whoever is there, in groups their admins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from telegram.error import BadRequest

if TYPE_CHECKING:
    from telegram import Update
    from telegram.ext import ExtBot

KNOWN_FOR_S = 60.0  # whoever is no admin any more may decide for as long as this
MOST_KNOWN = 4096
_DECIDING = frozenset({"creator", "administrator"})


class Membership:
    """Asks Telegram who a group's admins are, and remembers it for a moment.

    The bot's own admins (`ADMIN_IDS`) have no say in other people's groups.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[float, bool]] = {}

    async def may_decide(self, bot: ExtBot[int], update: Update) -> bool:
        """Whether the update comes from somebody who decides for its chat.

        Raises:
            TelegramError: Telegram cannot be asked.
        """
        chat, user, message = update.effective_chat, update.effective_user, update.message
        if chat is None or user is None:
            return False
        if chat.type == chat.PRIVATE:
            return True
        if message and message.sender_chat:  # an admin who writes as the group itself, or a channel
            return message.sender_chat.id == chat.id
        known = self._known.get((chat.id, user.id))
        now = time.monotonic()
        if known is not None and now < known[0]:
            return known[1]
        try:
            member = await bot.get_chat_member(chat.id, user.id)
        except BadRequest:  # nobody the group knows
            return False
        is_deciding = member.status in _DECIDING
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[chat.id, user.id] = (now + KNOWN_FOR_S, is_deciding)
        return is_deciding
