"""What chats are told of crawls: announced, brought up to date, and how each ended, once."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import TYPE_CHECKING

from telegram import ReplyParameters
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.i18n import Translator
from bot.progress import cancel_button, ended_text, running_text, waiting_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from telegram import InlineKeyboardMarkup, Message
    from telegram.ext import ExtBot

    from bot.announcements import Announcement
    from bot.desk import Desk
    from engine.crawl.report import CrawlProgress
    from engine.crawls import CrawlEntry
    from engine.errors import LookalikeError

LOG = logging.getLogger(__name__)

MOST_SHOWN = 30
"""Pictures on the contact sheet at the end."""


class Reports:
    """The messages of all crawls of one bot."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._announcing = asyncio.Lock()

    async def announce(self, bot: ExtBot[int], crawl_id: int) -> None:
        """Send the message that will show how far the crawl is, once.

        Raises:
            TelegramError: It could not be sent.
        """
        stores = await self._desk.opened()
        async with self._announcing:
            told = await self._desk.call(stores.announcements.of, crawl_id)
            entry = await self._desk.call(stores.crawls.get, crawl_id)
            if told is None or entry is None or told.message_id is not None:
                return
            say = Translator(told.place.language)
            message = await self._send(
                bot, told, waiting_text(entry, say), markup=cancel_button(crawl_id, say)
            )
            await self._desk.call(stores.announcements.sent, crawl_id, message.message_id)

    async def show_progress(
        self, bot: ExtBot[int], entry: CrawlEntry, told: Announcement, now: CrawlProgress | None
    ) -> None:
        """Bring the message up to date."""
        say = Translator(told.place.language)
        await self._edit(bot, told, running_text(entry, now, say), cancel_button(entry.id, say))

    async def show_wait(
        self, bot: ExtBot[int], entry: CrawlEntry, told: Announcement, error: LookalikeError
    ) -> None:
        """Say why the crawl cannot begin yet."""
        say = Translator(told.place.language)
        text = f"{waiting_text(entry, say)}\n{say.error(error)}"
        await self._edit(bot, told, text, cancel_button(entry.id, say))

    async def tell_end(self, bot: ExtBot[int], crawl_id: int) -> None:
        """Bring the message to its last state, and send what is new, once."""
        stores = await self._desk.opened()
        told = await self._desk.call(stores.announcements.of, crawl_id)
        entry = await self._desk.call(stores.crawls.get, crawl_id)
        if told is None or entry is None:
            return
        say = Translator(told.place.language)
        try:
            await self._edit(bot, told, ended_text(entry, say), None)
            pictures = await self._desk.call(stores.crawls.pictures, crawl_id)
            sheet = await self._sheet(entry, pictures, say)
            if sheet is not None:
                text = say.count("crawl.added", len(pictures), topic=entry.topic)
                await self._send(bot, told, text, photo=sheet)
            elif entry.state != "cancelled":
                await self._send(bot, told, say("crawl.nothing", topic=entry.topic))
        except (Forbidden, BadRequest) as error:
            LOG.info("the end of crawl %d cannot be told: %s", crawl_id, error)
        await self._desk.call(stores.announcements.told, crawl_id)

    async def _sheet(
        self, entry: CrawlEntry, pictures: Sequence[str], say: Translator
    ) -> bytes | None:
        """A contact sheet of what is new; None when nothing is, or no longer."""
        stores = await self._desk.opened()
        facts = await self._desk.call(stores.catalog.facts, list(pictures))
        photos = [facts[name] for name in pictures if name in facts]
        paths = [photo.path for photo in photos if photo.path is not None]
        if not paths:
            return None
        title = f"{entry.topic} · {say.count('crawl.new', len(paths))}"
        return await self._desk.call(lambda: _drawn(paths[:MOST_SHOWN], title))

    async def _send(
        self,
        bot: ExtBot[int],
        told: Announcement,
        text: str,
        *,
        markup: InlineKeyboardMarkup | None = None,
        photo: bytes | None = None,
    ) -> Message:
        """Send one of a crawl's messages; one that a killed process sent is found instead."""
        stores = await self._desk.opened()
        place, after = told.place, told.after
        if after is None:
            newest = self._desk.courier.message_ids.newest(place.chat_id)
            await self._desk.call(stores.announcements.sending, told.crawl_id, newest)
        reply_to = told.message_id or place.reply_to
        reply = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None
        if photo is not None:
            return await bot.send_photo(
                place.chat_id,
                photo,
                caption=text,
                message_thread_id=place.thread_id,
                reply_parameters=reply,
                rate_limit_args=after,
            )
        return await bot.send_message(
            place.chat_id,
            text,
            reply_markup=markup,
            message_thread_id=place.thread_id,
            reply_parameters=reply,
            rate_limit_args=after,
        )

    async def _edit(
        self,
        bot: ExtBot[int],
        told: Announcement,
        text: str,
        markup: InlineKeyboardMarkup | None,
    ) -> None:
        """Change the message with the progress; that it is gone or hard to reach stops nothing."""
        if told.message_id is None:
            return
        try:
            await bot.edit_message_text(
                text, told.place.chat_id, told.message_id, reply_markup=markup
            )
        except TelegramError as error:
            if "not modified" not in str(error).lower():
                LOG.info("the message of crawl %d cannot be edited: %s", told.crawl_id, error)


def _drawn(paths: Sequence[Path], title: str) -> bytes:
    from engine.plots import overview

    written = io.BytesIO()
    overview(paths, title=title).save(written, "JPEG", quality=90)
    return written.getvalue()
