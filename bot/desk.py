"""What every handler works with: settings, stores, the library, and a way to say one thing once."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from telegram import InlineKeyboardMarkup, ReplyParameters, Update

from bot.announcements import Announcements, Place
from bot.i18n import Translator, language_for
from bot.inbox import Inbox
from bot.preferences import Choices, FileIds, Preferences
from bot.questions import Flags, Question, Questions, parse_flags
from engine.crawls import CrawlLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from telegram import Bot, Message
    from telegram.ext import ExtBot

    from bot.delivery import Courier
    from bot.gallery import Gallery
    from bot.line import Line
    from engine.catalog import Catalog
    from engine.config import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stores:
    """The catalogue, and the bot's own tables beside it."""

    catalog: Catalog
    crawls: CrawlLog
    inbox: Inbox
    preferences: Preferences
    questions: Questions
    file_ids: FileIds
    announcements: Announcements

    @classmethod
    def over(cls, catalog: Catalog, bot_id: int) -> Stores:
        """All stores in one database."""
        return cls(
            catalog,
            CrawlLog(catalog.session),
            Inbox(catalog, bot_id),
            Preferences(catalog),
            Questions(catalog, bot_id),
            FileIds(catalog, bot_id),
            Announcements(catalog, bot_id),
        )


class Desk:
    """Passed to the handlers when they are made; knows nothing of any one update."""

    def __init__(
        self,
        settings: Settings,
        *,
        threads: Executor,
        line: Line,
        courier: Courier,
        gallery: Gallery,
    ) -> None:
        self.settings = settings
        self.line = line
        self.courier = courier
        self.gallery = gallery
        self._threads = threads
        self._stores: Stores | None = None
        self._is_open = asyncio.Event()

    def open(self, stores: Stores) -> None:
        """The database is there: whoever waits in `opened` goes on."""
        self._stores = stores
        self._is_open.set()

    async def opened(self) -> Stores:
        """The stores, as soon as the database is open."""
        await self._is_open.wait()
        if self._stores is None:
            raise RuntimeError("the stores are missing")
        return self._stores

    async def call(self, function: Callable[..., T], *args: object) -> T:
        """Run something that blocks (database, files) off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    async def choices(self, update: Update) -> Choices:
        """What the update's chat has chosen."""
        chat = update.effective_chat
        if chat is None:
            return Choices()
        return await self.call((await self.opened()).preferences.of, chat.id)

    async def translator(self, update: Update) -> Translator:
        """The language to answer this update in."""
        choices = await self.choices(update)
        user = update.effective_user
        return Translator(
            language_for(
                choices.language,
                user.language_code if user else None,
                self.settings.bot_language,
            )
        )

    def is_admin(self, update: Update) -> bool:
        """Whether the update comes from one of `ADMIN_IDS`: a person, whatever the chat."""
        user = update.effective_user
        return user is not None and user.id in self.settings.admin_ids

    async def category(self, written: str) -> str:
        """The category a person means: one that is there, whatever its capitals; else as written.

        A hashtag holds no spaces: `red_panda` is `red panda` where that is there.
        """
        catalog = (await self.opened()).catalog
        names = [each.category for each in await self.call(catalog.categories)]
        for asked in (written, written.replace("_", " ")):
            for name in names:
                if name.casefold() == asked.casefold():
                    return name
        return written

    def flags(self, words: str, bot: Bot) -> Flags:
        """What is asked for in a caption or after a command; a mention of the bot is no word.

        Raises:
            LookalikeError: A flag cannot be used.
        """
        name = re.escape(getattr(bot, "username", "") or "")
        return parse_flags(re.sub(rf"(?<!\S)@{name}\b", " ", words, flags=re.IGNORECASE))

    async def question(self, update: Update, asking: Message, flags: Flags) -> Question:
        """A question that a message asks, by the chat's choices where the flags say nothing."""
        choices = await self.choices(update)
        return Question(
            chat_id=asking.chat.id,
            reply_to=asking.message_id,
            thread_id=asking.message_thread_id if asking.is_topic_message else None,
            text=flags.text,
            metric=flags.metric or choices.metric or self.settings.metric,
            topk=flags.topk or choices.topk or self.settings.topk,
            category=flags.category,
            mirror=flags.mirror,
            denoise=flags.denoise,
        )

    async def place(self, update: Update) -> Place:
        """Where whatever this update leads to is told of."""
        message, chat = update.effective_message, update.effective_chat
        if chat is None:
            raise ValueError("an update without a chat")
        is_topic = bool(message and message.is_topic_message)
        return Place(
            chat.id,
            (await self.translator(update)).language,
            thread_id=message.message_thread_id if message and is_topic else None,
            reply_to=message.message_id if message else None,
        )

    async def begin(self, update: Update, chat_id: int) -> int | None:
        """Say durably that an answer to the update is about to be sent.

        Returns:
            None, or, when an earlier attempt had got that far, the id above which its messages are.
        """
        after = self.line.begun_after(update.update_id)
        if after is None:
            await self.line.begin(update.update_id, self.courier.message_ids.newest(chat_id))
        return after

    async def show(self, bot: ExtBot[int], update: Update, picture: bytes, caption: str) -> None:
        """Answer an update with one picture, once, as a reply."""
        message, chat = update.effective_message, update.effective_chat
        if chat is None:
            return
        resume = await self.begin(update, chat.id)
        is_topic = bool(message and message.is_topic_message)
        await bot.send_photo(
            chat.id,
            picture,
            caption=caption,
            message_thread_id=message.message_thread_id if message and is_topic else None,
            reply_parameters=(
                ReplyParameters(message.message_id, allow_sending_without_reply=True)
                if message
                else None
            ),
            rate_limit_args=resume,
        )

    async def say(
        self,
        bot: ExtBot[int],
        update: Update,
        text: str,
        markup: InlineKeyboardMarkup | None = None,
    ) -> None:
        """Answer an update with one message, once, as a reply where that helps (groups)."""
        message, chat = update.effective_message, update.effective_chat
        if chat is None:
            return
        resume = await self.begin(update, chat.id)
        is_topic = bool(message and message.is_topic_message)
        await bot.send_message(
            chat.id,
            text,
            reply_markup=markup,
            message_thread_id=message.message_thread_id if message and is_topic else None,
            reply_parameters=(
                ReplyParameters(message.message_id, allow_sending_without_reply=True)
                if message and (chat.type != chat.PRIVATE or message.effective_attachment)
                else None
            ),
            rate_limit_args=resume,
        )
