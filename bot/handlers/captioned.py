"""Commands that go with pictures: as their caption, on an album, or as a reply to one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telegram.ext import BaseHandler, CommandHandler, MessageHandler, filters

from bot.lanes import Album

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from telegram import Message, Update
    from telegram.ext import ExtBot

    from bot.app import Context
    from bot.handlers.commands import Handlers

    Callback = Callable[[Update, Context, "Pictured"], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Pictured:
    """A command and the messages that may hold its pictures.

    Attributes:
        words: What stands after the command.
        own: The message that it is the caption of, or all those of an album.
        replied: The message that is replied to.
    """

    words: str
    own: Sequence[Message] = ()
    replied: Message | None = None

    @property
    def meant(self) -> Sequence[Message]:
        """The command's own pictures, else the one that is replied to."""
        return self.own or ([self.replied] if self.replied else [])

    @property
    def all(self) -> Sequence[Message]:
        """Everything: the one replied to comes first."""
        return [*([self.replied] if self.replied else []), *self.own]


class AlbumHandler(BaseHandler[Album, Any, None]):
    """Takes albums one of whose captions begins with a command."""

    def __init__(
        self,
        callback: Callable[[Album, Any], Coroutine[Any, Any, None]],
        pattern: re.Pattern[str],
    ) -> None:
        super().__init__(callback)
        self._pattern = pattern

    def check_update(self, update: object) -> bool:
        """Whether it is such an album."""
        return isinstance(update, Album) and any(
            self._pattern.match(caption) for caption in captions_of(update)
        )


def captions_of(album: Album) -> list[str]:
    """What is written under the pictures of an album; not what somebody else wrote there."""
    messages = (update.message for update in album.updates)
    return [m.caption for m in messages if m and m.caption and not m.forward_origin]


def words_after(text: str | None) -> str:
    """What stands after a message's command."""
    words = (text or "").split(None, 1)
    return words[1].strip() if len(words) > 1 else ""


def pictured(command: str, callback: Callback) -> Handlers:
    """Handlers of `/command` with a picture; before those of pictures, which take any caption."""
    pattern = re.compile(rf"^/{command}(?:@(\w+))?(?:\s|$)", re.IGNORECASE)
    new = filters.UpdateType.MESSAGE

    def is_for(caption: str, bot: ExtBot[int]) -> bool:
        """Not for another bot of the group, as in `/tag@other_bot`."""
        found = pattern.match(caption)
        return bool(found and (found[1] or bot.username).casefold() == bot.username.casefold())

    async def captioned(update: Update, context: Context) -> None:
        message = update.message
        if message and is_for(message.caption or "", context.bot):
            words = words_after(message.caption)
            await callback(update, context, Pictured(words, [message], message.reply_to_message))

    async def replied(update: Update, context: Context) -> None:
        if message := update.message:
            words = words_after(message.text)
            await callback(update, context, Pictured(words, (), message.reply_to_message))

    async def album(item: Album, context: Context) -> None:
        messages = [update.message for update in item.updates if update.message]
        captions = (caption for caption in captions_of(item) if pattern.match(caption))
        caption = next(captions, "")
        replied = messages[0].reply_to_message if messages else None
        if is_for(caption, context.bot):
            command = Pictured(words_after(caption), messages, replied)
            await callback(item.updates[0], context, command)

    return [
        AlbumHandler(album, pattern),
        MessageHandler(new & ~filters.FORWARDED & filters.CaptionRegex(pattern), captioned),
        CommandHandler(command, replied, new),
    ]
