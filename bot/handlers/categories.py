"""/categories: everyone's categories by pages, each opened by a button or by a deep link."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
)
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.album import AlbumReply
from bot.exhibits import Exhibits
from bot.handlers.buttons import acknowledge, edit
from bot.handlers.captioned import words_after
from bot.handlers.trouble import sentence
from bot.links import LIST, digest, link_to, opened_by
from bot.questions import Question
from engine.errors import LookalikeError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Update
    from telegram.ext import ExtBot

    from bot.announcements import Place
    from bot.answer import Answerer
    from bot.app import Context
    from bot.desk import Desk
    from bot.exhibits import Exhibit, Shelf
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator
    from engine.catalog import CategoryCount

PER_PAGE = 16
"""Categories on a page, two in a row: what a phone shows at once."""
KEY_LETTERS = 24
NAME_LETTERS = 200
MOST_UNFINISHED = 256


class Categories:
    """The list, what its buttons open, and "more like this" under what is shown."""

    def __init__(self, desk: Desk, answerer: Answerer) -> None:
        self._desk = desk
        self._answerer = answerer
        self._exhibits = Exhibits(desk)
        # Albums sent whose buttons are still to come, by update id: see `Answerer`.
        self._albums: dict[int, list[Exhibit]] = {}

    async def command(self, update: Update, context: Context) -> None:
        """`/categories`, or `/categories tiger` to open one."""
        message = update.message
        if message is None:
            return
        written = words_after(message.text).lstrip("#")
        if not written:
            await self._list(update, context)
            return
        name = await self._desk.category(written)
        counts = await self._exhibits.categories()
        found = next((each for each in counts if each.category == name), None)
        if found is None:
            await self._unknown(update, context, written)
            return
        await self._open(update, context, found.category, 0)

    async def start(self, update: Update, context: Context) -> None:
        """`/start c_…`, behind a link, opens a category; `/start categories` lists them."""
        message = update.message
        if message is None:
            return
        parameter = words_after(message.text)
        counts = await self._exhibits.categories()
        found = opened_by(parameter, counts)
        if found is not None:
            await self._open(update, context, found.category, 0)
        elif parameter == LIST or not counts:
            await self._list(update, context)
        else:
            say = await self._desk.translator(update)
            await self._desk.say(context.bot, update, say("categories.gone"), _all_key(say))

    async def turned(self, update: Update, _: Context) -> None:
        """The button `cat:list:<page>`: another page, in the same message."""
        query = update.callback_query
        if query is None or query.data is None:
            return
        await acknowledge(query)
        say = await self._desk.translator(update)
        counts = await self._exhibits.categories()
        await edit(query, *_listing(counts, int(query.data.rpartition(":")[2]), say))

    async def listed(self, update: Update, context: Context) -> None:
        """The button `cat:all`: the list, in a message of its own."""
        if update.callback_query:
            await acknowledge(update.callback_query)
        await self._list(update, context)

    async def pressed(self, update: Update, context: Context) -> None:
        """The button `cat:open:<digest>:<page>`."""
        query = update.callback_query
        if query is None or query.data is None:
            return
        key, page = query.data.split(":")[2:]
        found = await self._exhibits.category(key)
        if found is None:
            say = await self._desk.translator(update)
            await acknowledge(query, say("categories.gone"))
            return
        await acknowledge(query)
        await self._open(update, context, found.category, int(page))

    async def liked(self, update: Update, context: Context) -> None:
        """The button `cat:like:<image id>`: a question, as if the picture had been sent."""
        query, chat = update.callback_query, update.effective_chat
        if query is None or query.data is None or chat is None:
            return
        say = await self._desk.translator(update)
        place = await self._desk.place(update)
        choices = await self._desk.choices(update)
        settings = self._desk.settings
        question = Question(
            chat_id=chat.id,
            reply_to=place.reply_to or 0,
            thread_id=place.thread_id,
            like=(query.data.rpartition(":")[2],),
            metric=choices.metric or settings.metric,
            topk=choices.topk or settings.topk,
        )
        await acknowledge(query)
        try:
            await self._answerer.answer(context.bot, update, question, say)
        except LookalikeError as error:
            await self._desk.say(context.bot, update, sentence(error, say))

    async def _list(self, update: Update, context: Context) -> None:
        say = await self._desk.translator(update)
        counts = await self._exhibits.categories()
        await self._desk.say(context.bot, update, *_listing(counts, 0, say))

    async def _unknown(self, update: Update, context: Context, written: str) -> None:
        say = await self._desk.translator(update)
        try:
            raise await self._desk.gallery.read(lambda lib: lib.unknown_category(written))
        except LookalikeError as error:
            await self._desk.say(context.bot, update, say.error(error), _all_key(say))

    async def _open(self, update: Update, context: Context, category: str, page: int) -> None:
        """Send a page of a category, as an album and a message with the buttons, once."""
        say = await self._desk.translator(update)
        choices = await self._desk.choices(update)
        size = choices.topk or self._desk.settings.topk
        shelf = await self._exhibits.shelf(category, page, size)
        if not shelf.exhibits:
            await self._desk.say(context.bot, update, say("answer.no_more"), _all_key(say))
            return
        try:
            await self._show(context.bot, update, shelf, say)
        except LookalikeError as error:
            await self._desk.say(context.bot, update, sentence(error, say), _all_key(say))

    async def _show(self, bot: ExtBot[int], update: Update, shelf: Shelf, say: Translator) -> None:
        place = await reply_place(self._desk, update)
        resume = await self._desk.begin(update, place.chat_id)
        sent = self._albums.get(update.update_id)
        if sent is None:
            sent = await AlbumReply(self._desk, bot, place, say, resume).send(shelf.exhibits)
            if not sent:
                raise StoreError("The files of a category cannot be found.", key="files_gone")
            self._albums[update.update_id] = sent
            if len(self._albums) > MOST_UNFINISHED:
                del self._albums[next(iter(self._albums))]
        await bot.send_message(
            place.chat_id,
            _shown_text(bot.username, shelf, sent, say),
            reply_markup=_shown_keys(shelf, sent, say),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            message_thread_id=place.thread_id,
            rate_limit_args=resume,
        )
        self._albums.pop(update.update_id, None)


async def reply_place(desk: Desk, update: Update) -> Place:
    """Where a picture that was not asked for by a photo goes: a reply only in groups."""
    place, chat = await desk.place(update), update.effective_chat
    is_private = chat is not None and chat.type == chat.PRIVATE
    return replace(place, reply_to=None) if is_private else place


def like_key(image_id: str, label: str) -> InlineKeyboardButton:
    """The button that asks for more like a picture of the library."""
    return InlineKeyboardButton(label, callback_data=f"cat:like:{image_id}")


def _all_key(say: Translator) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[_all(say)]])


def _all(say: Translator) -> InlineKeyboardButton:
    return InlineKeyboardButton(say("button.categories"), callback_data="cat:all")


def _listing(
    counts: Sequence[CategoryCount], page: int, say: Translator
) -> tuple[str, InlineKeyboardMarkup | None]:
    """A page of the list. One that is no longer there gives the last that is."""
    if not counts:
        return say("error.empty_library"), None
    pages = -(-len(counts) // PER_PAGE)
    page = min(page, pages - 1)
    keys = [
        InlineKeyboardButton(
            f"{_shortened(each.category, KEY_LETTERS)} · {say.number(each.count)}",
            callback_data=f"cat:open:{digest(each.category)}:0",
        )
        for each in counts[page * PER_PAGE : (page + 1) * PER_PAGE]
    ]
    rows = [keys[start : start + 2] for start in range(0, len(keys), 2)]
    if pages > 1:
        rows.append([
            InlineKeyboardButton(label, callback_data=f"cat:list:{number % pages}")
            for label, number in (
                ("‹", page - 1),
                (f"{say.number(page + 1)} / {say.number(pages)}", page),
                ("›", page + 1),
            )
        ])  # fmt: skip
    pictures = say.count("categories.pictures", sum(each.count for each in counts))
    text = say.count("categories.title", len(counts), pictures=pictures)
    return f"{text}\n{say('categories.choose')}", InlineKeyboardMarkup(rows)


def _shown_text(username: str, shelf: Shelf, sent: Sequence[Exhibit], say: Translator) -> str:
    numbers = [each.number or 0 for each in sent]
    first, last, total = map(say.number, (min(numbers), max(numbers), shelf.total))
    name = _shortened(shelf.category, NAME_LETTERS)
    where = say("categories.where", first=first, last=last, total=total)
    link = say("categories.link", link=link_to(username, shelf.category))
    return "\n".join([f"{name} · {where}", say("answer.more"), link])


def _shown_keys(shelf: Shelf, sent: Sequence[Exhibit], say: Translator) -> InlineKeyboardMarkup:
    like = [
        like_key(each.image_id, say("button.like", rank=say.number(each.number or 0)))
        for each in sent
    ]
    rows = [like[start : start + 5] for start in range(0, len(like), 5)]
    last = [_all(say)]
    if not shelf.is_last:
        following = f"cat:open:{digest(shelf.category)}:{shelf.page + 1}"
        last.insert(0, InlineKeyboardButton(say("button.next"), callback_data=following))
    return InlineKeyboardMarkup([*rows, last])


def _shortened(text: str, letters: int) -> str:
    text = " ".join(text.split()) or "·"
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def handlers(desk: Desk, answerer: Answerer) -> Handlers:
    """Handlers of the command, the deep links and the buttons; before the plain `/start`."""
    categories = Categories(desk, answerer)
    new = filters.UpdateType.MESSAGE
    is_link = filters.Regex(rf"^/start(@\w+)?\s+(c_[\w-]+|{LIST})\s*$")
    return [
        CommandHandler("start", categories.start, new & is_link),
        CommandHandler("categories", categories.command, new),
        CallbackQueryHandler(categories.turned, pattern=r"^cat:list:\d{1,6}$"),
        CallbackQueryHandler(categories.listed, pattern=r"^cat:all$"),
        CallbackQueryHandler(categories.pressed, pattern=r"^cat:open:[0-9a-f]{12}:\d{1,6}$"),
        CallbackQueryHandler(categories.liked, pattern=r"^cat:like:[0-9a-f]{16}$"),
    ]
