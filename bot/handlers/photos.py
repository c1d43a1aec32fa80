"""Photos and everything that can stand for one, alone or as an album."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from telegram.ext import MessageHandler, TypeHandler, filters

from bot.handlers.addressing import is_addressed, mentions
from bot.handlers.captioned import pictured
from bot.handlers.trouble import sentence
from bot.lanes import Album
from bot.pictures import picture_in
from bot.questions import CAPTION_COMMANDS, CAPTION_SWITCHES
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Message, Update

    from bot.answer import Answerer
    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.captioned import Pictured
    from bot.handlers.commands import Handlers
    from bot.questions import Question

PICTURES = (
    filters.PHOTO
    | filters.Document.ALL
    | filters.Sticker.ALL
    | filters.ANIMATION
    | filters.VIDEO
    | filters.VIDEO_NOTE
)


EDITED_WITHIN_S = 60.0


class Asking:
    """From a message with a picture to a question."""

    def __init__(self, desk: Desk, answerer: Answerer) -> None:
        self._desk = desk
        self._answerer = answerer

    async def message(self, update: Update, context: Context) -> None:
        """One message with a picture."""
        message = update.message
        if message and is_addressed(message, context.bot):
            await self._ask(update, context, [message], message)

    async def album(self, album: Album, context: Context) -> None:
        """Several at once: one question about all of them together."""
        messages = [update.message for update in album.updates if update.message]
        if any(is_addressed(message, context.bot) for message in messages):
            await self._ask(album.updates[0], context, messages, messages[0])

    async def mention(self, update: Update, context: Context) -> None:
        """`@bot` (with flags, if one likes) as a reply to somebody's picture."""
        message = update.message
        if message and message.reply_to_message:
            await self._ask(update, context, [message.reply_to_message], message)

    async def edited(self, update: Update, context: Context) -> None:
        """A caption that was changed soon after: the question is asked again as it is now."""
        message = update.edited_message
        if message is None or message.edit_date is None:
            return
        is_soon = (message.edit_date - message.date).total_seconds() <= EDITED_WITHIN_S
        if is_soon and is_addressed(message, context.bot) and not _is_command(message):
            await self._ask(update, context, [message], message)

    async def mix(self, update: Update, context: Context, command: Pictured) -> None:
        """`/mix` under a picture that replies to another, or with words in reply to one."""
        say = await self._desk.translator(update)
        message = update.message
        pictures = [each for each in command.all if each.effective_attachment]
        if message is None or len(pictures) + bool(command.words) < 2 or not pictures:
            await self._desk.say(context.bot, update, say("mix.usage"))
            return
        try:
            found = [picture for each in pictures if (picture := picture_in(each))]
            flags = self._desk.flags(command.words, context.bot)
            question = replace(
                await self._desk.question(update, message, flags),
                file_ids=tuple(picture.file_id for picture in found),
            )
            await self._answerer.answer(context.bot, update, question, say)
        except LookalikeError as error:
            await self._desk.say(context.bot, update, sentence(error, say))

    async def _ask(
        self, update: Update, context: Context, pictures: Sequence[Message], asking: Message
    ) -> None:
        say = await self._desk.translator(update)
        try:
            question = await self._question(update, pictures, asking)
            if question is None:
                await self._desk.say(context.bot, update, say("send_photo"))
                return
            await self._answerer.answer(context.bot, update, question, say)
        except LookalikeError as error:
            await self._desk.say(context.bot, update, sentence(error, say))

    async def _question(
        self, update: Update, pictures: Sequence[Message], asking: Message
    ) -> Question | None:
        own = pictures if asking in pictures else ()  # not what somebody else wrote under his
        words = [
            asking.text,
            # Neither a stranger's words nor those the bot itself wrote under an inline result.
            *(m.caption for m in own if not m.forward_origin and not m.via_bot),
        ]
        flags = self._desk.flags(" ".join(word for word in words if word), asking.get_bot())
        found = [picture for message in pictures if (picture := picture_in(message))]
        if not found:
            return None
        return replace(
            await self._desk.question(update, asking, flags),
            reply_to=pictures[0].message_id,
            file_ids=tuple(picture.file_id for picture in found),
        )


def _is_command(message: Message) -> bool:
    """Whether a caption begins with a command of its own, such as `/add`: done once, when sent."""
    words = (message.caption or "").split(maxsplit=1)
    name = words[0].partition("@")[0].lower() if words else ""
    return name.startswith("/") and name[1:] not in CAPTION_COMMANDS | CAPTION_SWITCHES


def handlers(desk: Desk, answerer: Answerer) -> Handlers:
    """Handlers of pictures."""
    asking = Asking(desk, answerer)

    class NamedReply(filters.MessageFilter):
        """A reply to a picture that names the bot."""

        def filter(self, message: Message) -> bool:
            replied = message.reply_to_message
            return bool(
                message.text
                and not message.text.startswith("/")
                and replied
                and replied.effective_attachment
                and mentions(message, message.get_bot())  # type: ignore[arg-type]
            )

    new = filters.UpdateType.MESSAGE
    return [
        *pictured("mix", asking.mix),
        TypeHandler(Album, asking.album),
        MessageHandler(new & PICTURES, asking.message),
        MessageHandler(new & NamedReply(), asking.mention),
        MessageHandler(filters.UpdateType.EDITED_MESSAGE & PICTURES, asking.edited),
    ]
