"""In groups the bot is silent unless a command, a mention or a reply addresses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telegram import Message
    from telegram.ext import ExtBot


_FLAGS = re.compile(r"(?<!\S)/(metric|topk)(?![@\w])")  # nobody writes these to anybody else


def is_addressed(message: Message, bot: ExtBot[int]) -> bool:
    """Whether a message is for the bot: always in private chats, by name or reply in groups."""
    if message.chat.type == message.chat.PRIVATE:
        return True
    replied = message.reply_to_message
    if replied and replied.from_user and replied.from_user.id == bot.id:
        return True
    return mentions(message, bot) or bool(_FLAGS.search(message.caption or ""))


def mentions(message: Message, bot: ExtBot[int]) -> bool:
    """Whether text or caption names the bot, as `@name` or `/command@name`."""
    words = message.text or message.caption or ""
    return bool(re.search(rf"@{re.escape(bot.username)}\b", words, re.IGNORECASE))
