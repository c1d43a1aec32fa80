"""Photos and everything that can stand for one, alone or as an album."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.ext import MessageHandler, TypeHandler, filters

from bot.handlers.addressing import is_addressed, mentions
from bot.handlers.trouble import sentence
from bot.lanes import Album
from bot.pictures import picture_in
from bot.questions import Flags, Question, parse_flags
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Message, Update

    from bot.answer import Answerer
    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers

PICTURES = (
    filters.PHOTO
    | filters.Document.ALL
    | filters.Sticker.ALL
    | filters.ANIMATION
    | filters.VIDEO
    | filters.VIDEO_NOTE
)


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
        flags = parse_flags(" ".join(word for word in words if word)) if any(words) else Flags()
        found = [picture for message in pictures if (picture := picture_in(message))]
        if not found:
            return None
        choices = await self._desk.choices(update)
        settings = self._desk.settings
        return Question(
            chat_id=asking.chat.id,
            reply_to=pictures[0].message_id,
            thread_id=asking.message_thread_id if asking.is_topic_message else None,
            file_ids=tuple(picture.file_id for picture in found),
            metric=flags.metric or choices.metric or settings.metric,
            topk=flags.topk or choices.topk or settings.topk,
            category=flags.category,
            mirror=flags.mirror,
            denoise=flags.denoise,
        )


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
        TypeHandler(Album, asking.album),
        MessageHandler(new & PICTURES, asking.message),
        MessageHandler(new & NamedReply(), asking.mention),
    ]
