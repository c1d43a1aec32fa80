"""Inline mode: `@bot tiger`, typed in any chat, offers pictures to send there."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from telegram import InlineQueryResultCachedPhoto, InlineQueryResultsButton
from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.ext import InlineQueryHandler

from bot.album import caption
from bot.i18n import Translator, language_for
from bot.links import LIST, parameter_of
from bot.strips import Strip, Strips
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from telegram import InlineQuery, Update
    from telegram.ext import ExtBot

    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers
    from bot.strips import Piece

LOG = logging.getLogger(__name__)

ANSWER_WITHIN_S = 6.0  # afterwards nobody looks at it any more
CACHE_S = 30  # captions are in the asker's language, so nobody else's cache serves them
CACHE_NOTHING_S = 5
NAME_LETTERS = 32
CHECKED_AT_ONCE = 8


class Inline:
    """Answers inline queries. What goes wrong is let go: the next letter brings another query."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._strips = Strips(desk)

    async def asked(self, update: Update, context: Context) -> None:
        """Answer one query, if that can be done at once."""
        query = update.inline_query
        if query is None:
            return
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                say = await self._translator(query)
                strip = await self._strips.find(query.query, query.offset)
                await self._answer(context.bot, query, strip, say)
        except (TelegramError, SQLAlchemyError, LookalikeError, TimeoutError) as error:
            LOG.info("an inline query was left unanswered: %s", type(error).__name__)

    async def _translator(self, query: InlineQuery) -> Translator:
        """The language chosen in the asker's private chat, else that of his Telegram."""
        user = query.from_user
        choices = await self._desk.call((await self._desk.opened()).preferences.of, user.id)
        default = self._desk.settings.bot_language
        return Translator(language_for(choices.language, user.language_code, default))

    async def _answer(
        self, bot: ExtBot[int], query: InlineQuery, strip: Strip, say: Translator
    ) -> None:
        try:
            await self._send(bot, query, strip, strip.pieces, say)
        except BadRequest as error:
            if _is_too_late(error):
                LOG.debug("an inline query was answered too late")
                return
            LOG.info("Telegram refused inline results (%s): looking for dead files", error)
            alive = await self._alive(bot, strip.pieces)
            await self._send(bot, query, strip, alive, say)

    async def _send(
        self,
        bot: ExtBot[int],
        query: InlineQuery,
        strip: Strip,
        pieces: tuple[Piece, ...],
        say: Translator,
    ) -> None:
        await bot.answer_inline_query(
            query.id,
            [
                InlineQueryResultCachedPhoto(
                    piece.exhibit.image_id,
                    piece.file_id,
                    title=piece.exhibit.category[:NAME_LETTERS],
                    caption=caption(piece.exhibit, say),
                )
                for piece in pieces
            ],
            cache_time=CACHE_S if pieces else CACHE_NOTHING_S,
            is_personal=True,
            next_offset=strip.next_offset,
            button=_button(strip, say),
        )

    async def _alive(self, bot: ExtBot[int], pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """Those whose file Telegram still has; the others are uploaded anew when next sent."""
        at_once = asyncio.Semaphore(CHECKED_AT_ONCE)

        async def is_dead(piece: Piece) -> bool:
            async with at_once:
                try:
                    await bot.get_file(piece.file_id)
                except BadRequest:
                    return True
                except NetworkError:
                    return False
            return False

        dead = await asyncio.gather(*(is_dead(piece) for piece in pieces))
        gone = [
            piece.exhibit.image_id for piece, is_gone in zip(pieces, dead, strict=True) if is_gone
        ]
        await self._desk.call((await self._desk.opened()).file_ids.drop, gone)
        return tuple(piece for piece, is_gone in zip(pieces, dead, strict=True) if not is_gone)


def _is_too_late(error: BadRequest) -> bool:
    text = str(error).lower()
    return "too old" in text or "query id" in text or "query_id" in text


def _button(strip: Strip, say: Translator) -> InlineQueryResultsButton | None:
    """The way into the chat, where there is more than Telegram has already."""
    if not strip.is_first:
        return None
    if len(strip.fitting) == 1:
        (only,) = strip.fitting
        name = only.category
        name = name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS - 1]}…"
        text = say.count("inline.category", only.count, category=name)
        return InlineQueryResultsButton(text, start_parameter=parameter_of(only.category))
    key = "inline.all" if strip.pieces or strip.fitting else "inline.nothing"
    return InlineQueryResultsButton(say(key), start_parameter=LIST)


def handlers(desk: Desk) -> Handlers:
    """The handler of inline queries."""
    return [InlineQueryHandler(Inline(desk).asked)]
