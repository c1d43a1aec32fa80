"""/compare, /tag and /locate: answers that are one picture, drawn for the question."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.busy import Busy
from bot.handlers.captioned import pictured
from bot.handlers.trouble import sentence
from bot.pictures import download, picture_in
from bot.questions import parse_flags
from engine.errors import EncoderUnavailableError, LookalikeError
from engine.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from PIL.Image import Image
    from telegram import Message, Update

    from bot.app import Context
    from bot.desk import Desk
    from bot.handlers.captioned import Pictured
    from bot.handlers.commands import Handlers
    from bot.i18n import Translator
    from engine.library import Library
    from engine.lineup import Answer
    from engine.search import Query, Search
    from engine.tags import Tag, Tagger

PIXELS = tuple(name for name, metric in METRICS.items() if metric.space == "pixels")


@dataclass(frozen=True, slots=True)
class Drawn:
    """An answer: a picture (JPEG) with a line of words, or words alone."""

    words: str
    picture: bytes | None = None


class Showing:
    """The three commands."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tagger: tuple[Library, Tagger] | None = None

    async def compare(self, update: Update, context: Context, command: Pictured) -> None:
        """The best matches by every metric, a row each."""

        async def work(say: Translator, images: list[Image]) -> Drawn:
            flags = parse_flags(command.words)
            choices = await self._desk.choices(update)
            topk = flags.topk or choices.topk or self._desk.settings.topk
            is_up = await self._desk.gallery.encoder_is_up()
            names = [flags.metric] if flags.metric else None if is_up else list(PIXELS)
            category = flags.category and await self._desk.category(flags.category)
            from engine.search import Query  # imported by now, in a thread

            query = Query(
                images=tuple(images),
                topk=topk,
                category=category,
                owner=update.effective_chat.id if update.effective_chat else None,
                scope=choices.scope or "both",
            )
            sheet = await self._desk.gallery.consult(
                lambda search: _compared(search, query, names, say)
            )
            return Drawn(say("compare.done"), sheet)

        await self._answer(update, context, command.meant, work, usage="compare.usage")

    async def tag(self, update: Update, context: Context, command: Pictured) -> None:
        """The categories that fit a picture."""

        async def work(say: Translator, images: list[Image]) -> Drawn:
            if not await self._desk.gallery.encoder_is_up():  # it may take minutes to come
                raise EncoderUnavailableError(
                    "The image model is still being loaded.",
                    key="encoder_loading",
                    encoder=self._desk.settings.encoder,
                )
            is_shared = (await self._desk.choices(update)).scope == "shared"
            chat = update.effective_chat
            owner = None if is_shared or chat is None else chat.id
            tags = await self._desk.gallery.read(
                lambda library: self._tags(library, images[0], owner)
            )
            if not tags:
                return Drawn(say("tag.none"))
            sheet = await self._desk.call(lambda: _tagged(images[0], tags, say))
            line = ", ".join(f"{tag.category} {say.percent(tag.percent)}" for tag in tags[:3])
            return Drawn(f"{line}\n{say(f'tag.{tags[0].by}')}", sheet)

        await self._answer(update, context, command.meant[:1], work, usage="tag.usage")

    async def locate(self, update: Update, context: Context, command: Pictured) -> None:
        """Where a cut-out lies in a picture; which of the two is which, shows itself."""
        by_features = command.words.casefold().startswith("feature")

        async def work(say: Translator, images: list[Image]) -> Drawn:
            if by_features:
                await self._desk.gallery.encoder_is_up()
            sheet, percent = await self._desk.gallery.read(
                lambda library: _located(library, images, say, by_features=by_features)
            )
            if percent is None:
                return Drawn(say("locate.absent"), sheet)
            return Drawn(say("locate.found", percent=say.percent(percent)), sheet)

        await self._answer(update, context, command.all[:2], work, usage="locate.usage", count=2)

    async def _answer(
        self,
        update: Update,
        context: Context,
        messages: Sequence[Message],
        work: Callable[[Translator, list[Image]], Coroutine[Any, Any, Drawn]],
        *,
        usage: str,
        count: int = 1,
    ) -> None:
        """Open the pictures, work, and answer with what was drawn, or a line that helps."""
        desk, bot = self._desk, context.bot
        say = await desk.translator(update)
        place = await desk.place(update)
        try:
            found = [picture for message in messages if (picture := picture_in(message))]
            if len(found) < count:
                await desk.say(bot, update, say(usage))
                return
            where = {"chat_id": place.chat_id, "thread_id": place.thread_id}
            async with Busy(desk, bot, update, say, **where):  # type: ignore[arg-type]
                images = [await download(desk, bot, picture.file_id) for picture in found]
                drawn = await work(say, images)
        except LookalikeError as error:
            await desk.say(bot, update, sentence(error, say))
            return
        if drawn.picture is None:
            await desk.say(bot, update, drawn.words)
        else:
            await desk.show(bot, update, drawn.picture, drawn.words)

    def _tags(self, library: Library, image: Image, owner: int | None) -> list[Tag]:
        """Worker thread: the tags, by a tagger that is kept: it remembers the categories' names."""
        from engine.tags import Tagger

        if self._tagger is None or self._tagger[0] is not library:
            self._tagger = (library, Tagger(library))
        return self._tagger[1].tags(image, owner=owner)


def _compared(
    search: Search, query: Query, metrics: Sequence[str] | None, say: Translator
) -> bytes:
    from engine.lineup import line_up
    from engine.plots import Row, comparison_sheet

    answers: list[Answer] = line_up(search, query, metrics)
    rows = [Row(say(f"metric.{each.metric}"), each.matches) for each in answers]
    sheet = comparison_sheet(
        query.images, rows, query_label=say("compare.query"), nothing=say("answer.nothing")
    )
    return _jpeg(sheet)


def _tagged(image: Image, tags: Sequence[Tag], say: Translator) -> bytes:
    from engine.plots import tag_sheet

    return _jpeg(tag_sheet(image, tags, note=say(f"tag.{tags[0].by}")))


def _located(
    library: Library, images: Sequence[Image], say: Translator, *, by_features: bool
) -> tuple[bytes, float | None]:
    """Worker thread: look for each in the other; the better place counts."""
    from engine.locate import locate
    from engine.plots import location_sheet

    encoder = library.stores.load_encoder() if by_features else None
    method = "features" if by_features else "correlation"
    first, second = images
    tried = []
    for picture, cutout in ((first, second), (second, first)):
        place = locate(picture, cutout, method=method, encoder=encoder)  # type: ignore[arg-type]
        tried.append((place.score if place else -1.0, picture, cutout, place))
    _, picture, cutout, place = max(tried, key=lambda each: each[0])
    sheet = location_sheet(
        picture,
        cutout,
        place,
        cutout_label=say("locate.cutout"),
        not_found=say("locate.absent"),
    )
    return _jpeg(sheet), None if place is None else place.percent


def _jpeg(sheet: Image) -> bytes:
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=90)
    return written.getvalue()


def handlers(desk: Desk) -> Handlers:
    """Handlers of the commands."""
    showing = Showing(desk)
    return [
        *pictured("compare", showing.compare),
        *pictured("tag", showing.tag),
        *pictured("locate", showing.locate),
    ]
