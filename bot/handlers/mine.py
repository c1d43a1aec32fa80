"""/mine: what is in one's own collection, page by page, and where questions look."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, ReplyParameters
from telegram.error import BadRequest
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.handlers.buttons import acknowledge
from bot.handlers.captioned import words_after
from bot.handlers.trouble import sentence
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from telegram import CallbackQuery, Chat, Update

    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator
    from engine.catalog import Photo
    from engine.library import Library
    from engine.query import Scope

LOG = logging.getLogger(__name__)

PER_PAGE = 9
LINE_LETTERS = 70  # nine lines and a head fit a caption
SCOPES: dict[str, Scope] = {"on": "both", "off": "shared", "only": "own"}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a collection; `number` counts from 0."""

    photos: Sequence[Photo]
    number: int
    total: int

    @property
    def first(self) -> int:
        """Number of its first picture, from 1."""
        return self.number * PER_PAGE + 1

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-self.total // PER_PAGE))


class Mine:
    """The command and its buttons."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._membership = desk.membership

    async def command(self, update: Update, context: Context) -> None:
        """`/mine`, `/mine on|off|only`, in groups `/mine allow on|off`."""
        message, chat = update.message, update.effective_chat
        if message is None or chat is None:
            return
        say = await self._desk.translator(update)
        words = words_after(message.text).casefold().split()
        if not words:
            await self._show(update, context, chat, say)
            return
        await self._desk.say(context.bot, update, await self._set(update, context, words, say))

    async def _set(
        self, update: Update, context: Context, words: list[str], say: Translator
    ) -> str:
        chat = update.effective_chat
        is_allowing = len(words) == 2 and words[0] == "allow" and words[1] in {"on", "off"}
        is_choosing = len(words) == 1 and words[0] in SCOPES
        if chat is None or not (is_allowing or is_choosing):
            return say("mine.usage")
        if is_allowing and chat.type == chat.PRIVATE:
            return say("mine.allow_private")
        if not await self._membership.may_decide(context.bot, update):
            return say("mine.admins_only")
        preferences = (await self._desk.opened()).preferences
        if is_allowing:
            may_save = words[1] == "on"
            await self._desk.call(lambda: preferences.choose(chat.id, may_save=may_save))
            return say("mine.allowed" if may_save else "mine.disallowed")
        scope = SCOPES[words[0]]
        await self._desk.call(lambda: preferences.choose(chat.id, scope=scope))
        return say(f"mine.chosen_{scope}")

    async def _show(self, update: Update, context: Context, chat: Chat, say: Translator) -> None:
        page = await self._page(chat.id, 0)
        choices = await self._desk.choices(update)
        scope = choices.scope or "both"
        if not page.total:
            is_closed = chat.type != chat.PRIVATE and not choices.may_save
            text = say("save.no_leave" if is_closed else "mine.empty")
            await self._desk.say(context.bot, update, f"{text}\n{say(f'mine.scope_{scope}')}")
            return
        sheet = await self._sheet(page)
        place = await self._desk.place(update)
        resume = await self._desk.begin(update, chat.id)
        await context.bot.send_photo(
            chat.id,
            sheet,
            caption=_caption(page, scope, say),
            reply_markup=_keys(page, scope, say),
            message_thread_id=place.thread_id,
            reply_parameters=(
                ReplyParameters(place.reply_to, allow_sending_without_reply=True)
                if place.reply_to and chat.type != chat.PRIVATE
                else None
            ),
            rate_limit_args=resume,
        )

    async def pressed(self, update: Update, context: Context) -> None:
        """Buttons `mine:<page|ask|del|scope>:<value>:<page>`."""
        query, chat = update.callback_query, update.effective_chat
        if query is None or query.data is None or chat is None:
            return
        say = await self._desk.translator(update)
        what, value, number = query.data.split(":")[1:]
        if what != "page" and not await self._membership.may_decide(context.bot, update):
            await acknowledge(query, say("mine.admins_only"))
            return
        if what == "ask":
            await self._ask(query, chat, value, int(number), say)
            return
        if what == "del":
            try:
                await self._desk.gallery.write(lambda library: _drop(library, chat.id, value))
            except LookalikeError as error:
                await acknowledge(query, sentence(error, say))
                return
        if what == "scope":
            preferences = (await self._desk.opened()).preferences
            await self._desk.call(lambda: preferences.choose(chat.id, scope=SCOPES[value]))
        await acknowledge(query)
        await self._turn(update, query, chat, int(number), say)

    async def _ask(
        self, query: CallbackQuery, chat: Chat, image_id: str, number: int, say: Translator
    ) -> None:
        """Before a deletion: its buttons in the place of the page's."""
        page = await self._page(chat.id, number)
        places = [photo.id for photo in page.photos]
        if image_id not in places:
            await acknowledge(query, say("mine.gone"))
            return
        await acknowledge(query)
        label = say("mine.delete", number=say.number(page.first + places.index(image_id)))
        markup = InlineKeyboardMarkup([[
            InlineKeyboardButton(label, callback_data=f"mine:del:{image_id}:{page.number}"),
            InlineKeyboardButton(say("button.keep"), callback_data=f"mine:page::{page.number}"),
        ]])  # fmt: skip
        try:
            await query.edit_message_reply_markup(markup)
        except BadRequest as error:
            LOG.info("buttons could not be changed: %s", error)

    async def _turn(
        self, update: Update, query: CallbackQuery, chat: Chat, number: int, say: Translator
    ) -> None:
        """Show another page, or this one as it is now."""
        page = await self._page(chat.id, number)
        scope = (await self._desk.choices(update)).scope or "both"
        text = _caption(page, scope, say) if page.total else say("mine.empty")
        sheet = await self._sheet(page)
        media = InputMediaPhoto(sheet, caption=text)
        try:
            await query.edit_message_media(
                media, reply_markup=_keys(page, scope, say) if page.total else None
            )
        except BadRequest as error:
            if "not modified" not in str(error).lower():
                LOG.info("a page could not be turned: %s", error)

    async def _page(self, owner: int, number: int) -> Page:
        """A page; one that is no longer there gives the last that is."""
        catalog = (await self._desk.opened()).catalog
        total = len(await self._desk.call(catalog.ids_of, owner))
        number = min(number, max(0, (total - 1) // PER_PAGE))
        photos = await self._desk.call(
            lambda: catalog.newest(owner, offset=number * PER_PAGE, limit=PER_PAGE)
        )
        return Page(photos, number, total)

    async def _sheet(self, page: Page) -> bytes:
        paths = [photo.path for photo in page.photos if photo.path is not None]
        return await self._desk.call(lambda: _drawn(paths, page.first))


def _caption(page: Page, scope: Scope, say: Translator) -> str:
    head = say.count("mine.title", page.total)
    if page.pages > 1:
        shown, pages = say.number(page.number + 1), say.number(page.pages)
        head += " · " + say("mine.page", page=shown, pages=pages)
    lines = [head, say(f"mine.scope_{scope}"), ""]
    for number, photo in enumerate(page.photos, page.first):
        words = f"{photo.category} – {photo.title}" if photo.title else photo.category
        words = words if len(words) <= LINE_LETTERS else words[: LINE_LETTERS - 1].rstrip() + "…"
        lines.append(f"{number}. {words}")
    return "\n".join(lines)


def _keys(page: Page, scope: Scope, say: Translator) -> InlineKeyboardMarkup:
    delete = [
        InlineKeyboardButton(f"🗑 {number}", callback_data=f"mine:ask:{photo.id}:{page.number}")
        for number, photo in enumerate(page.photos, page.first)
    ]
    rows = [delete[start : start + 3] for start in range(0, len(delete), 3)]
    if page.pages > 1:
        before, after = (page.number - 1) % page.pages, (page.number + 1) % page.pages
        rows.append([
            InlineKeyboardButton("‹", callback_data=f"mine:page::{before}"),
            InlineKeyboardButton("›", callback_data=f"mine:page::{after}"),
        ])  # fmt: skip
    rows.append([
        InlineKeyboardButton(
            f"✓ {say(f'mine.{word}')}" if value == scope else say(f"mine.{word}"),
            callback_data=f"mine:scope:{word}:{page.number}",
        )
        for word, value in SCOPES.items()
    ])  # fmt: skip
    return InlineKeyboardMarkup(rows)


def _drawn(paths: Sequence[Path], first: int) -> bytes:
    from engine.plots import overview

    written = io.BytesIO()
    overview(paths, first=first).save(written, "JPEG", quality=88)
    return written.getvalue()


def _drop(library: Library, owner: int, image_id: str) -> bool:
    """Worker thread: remove one picture."""
    from engine.holdings import Holdings

    return Holdings(library, owner).drop(image_id)


def handlers(desk: Desk) -> Handlers:
    """Handlers of the command and its buttons."""
    mine = Mine(desk)
    return [
        CommandHandler("mine", mine.command, filters.UpdateType.MESSAGE),
        CallbackQueryHandler(
            mine.pressed,
            pattern=r"^mine:(page::|(ask|del):[0-9a-f]{16}:|scope:(on|off|only):)\d{1,6}$",
        ),
    ]
