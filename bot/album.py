"""Matches become an album: captions, pictures Telegram accepts, file ids instead of uploads."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from PIL import Image, ImageOps
from telegram import InputFile, InputMediaPhoto, ReplyParameters
from telegram.error import BadRequest

from bot.exhibits import Exhibit
from engine.errors import ImageError
from engine.images import open_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from telegram import InlineKeyboardMarkup, Message
    from telegram.ext import ExtBot

    from bot.announcements import Place
    from bot.desk import Desk
    from bot.i18n import Translator
    from bot.questions import Question
    from engine.search import Match

Shown = TypeVar("Shown", "Match", Exhibit)

LOG = logging.getLogger(__name__)

CAPTION_UNITS = 1024  # UTF-16 units, as Telegram counts
LONG_SIDE = 1280  # what Telegram shows; a larger photo would only be shrunk there
MOST_BYTES = 1024 * 1024  # sent as it is up to this size, for ten go in one call
MOST_RATIO = 10  # Telegram's limit is 20
LEAST_SIDE = 32
_ORIENTATION = 0x0112


def caption(match: Match | Exhibit, say: Translator) -> str:
    """What it is; then title, creator, licence and source where known."""
    lines = [_headline(match, say)]
    if not isinstance(match, Exhibit) and match.owner is not None:
        lines.append(say("album.own" if match.owner > 0 else "album.own_group"))
    if match.title:
        lines.append(_cut(match.title, 200))
    if match.creator:
        lines.append(say("album.creator", creator=_cut(match.creator, 120)))
    if match.licence or match.source:
        lines.append(" · ".join(_cut(part, 80) for part in (match.licence, match.source) if part))
    if match.landing_page and len(match.landing_page) <= 400:
        lines.append(match.landing_page)
    return _cut_units("\n".join(lines), CAPTION_UNITS)


def _headline(match: Match | Exhibit, say: Translator) -> str:
    """Rank, category and similarity; for a picture nobody compared, number and category."""
    if not isinstance(match, Exhibit):
        return say("album.match", rank=match.rank, category=match.category,
                   percent=say.percent(match.percent))  # fmt: skip
    category = _cut(match.category, 200)
    return category if match.number is None else f"#{say.number(match.number)} · {category}"


def _cut(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _cut_units(text: str, units: int) -> str:
    coded = text.encode("utf-16-le")[: units * 2]
    return coded.decode("utf-16-le", errors="ignore").strip()


def photo_for_telegram(path: Path, *, as_is: bool = True) -> bytes:
    """A file's bytes as a photo Telegram takes: JPEG, ≤ 10 MB, w + h ≤ 10000, ratio ≤ 20.

    Args:
        path: The picture.
        as_is: Send a JPEG unchanged when it keeps the limits.

    Raises:
        ImageError: The file is no usable picture.
        OSError: The file cannot be read.
    """
    if as_is and _is_acceptable(path):
        return path.read_bytes()
    image = open_image(path, min_side=LONG_SIDE // 2)
    image.thumbnail((LONG_SIDE, LONG_SIDE))
    width, height = image.size
    least = max(LEAST_SIDE, -(-max(width, height) // MOST_RATIO))
    if min(width, height) < least:
        image = ImageOps.pad(image, (max(width, least), max(height, least)), color="white")
    written = io.BytesIO()
    image.save(written, "JPEG", quality=88)
    return written.getvalue()


def _is_acceptable(path: Path) -> bool:
    try:
        if path.stat().st_size > MOST_BYTES:
            return False
        with Image.open(path, formats=("JPEG",)) as image:
            width, height = image.size
            is_upright = image.getexif().get(_ORIENTATION, 1) == 1
            is_plain = image.mode in {"RGB", "L"}
    except (OSError, ValueError, Image.DecompressionBombError):
        return False
    short, long = sorted((width, height))
    return is_upright and is_plain and short >= LEAST_SIDE and long <= min(2560, short * MOST_RATIO)


@dataclass(frozen=True, slots=True)
class AlbumReply:
    """An album on its way: one question's pictures, in reply to it.

    Attributes:
        desk: Where file ids are kept.
        bot: The bot.
        question: Where the answer belongs.
        say: The chat's language.
        resume: See `Courier`: an earlier process may have sent it, above this message id.
        markup: Keyboard under a single picture; Telegram knows none under an album.
    """

    desk: Desk
    bot: ExtBot[int]
    question: Question | Place
    say: Translator
    resume: int | None
    markup: InlineKeyboardMarkup | None = None

    async def send(self, matches: Sequence[Shown]) -> list[Shown]:
        """Send at most ten matches as an album, a single one as a plain photo.

        Returns:
            The matches whose pictures could be sent.
        """
        file_ids = (await self.desk.opened()).file_ids
        known = await self.desk.call(file_ids.known, [match.image_id for match in matches])
        try:
            return await self._send(matches, known, as_is=True)
        except BadRequest as error:
            if not _is_about_photo(error):
                raise
            LOG.info("Telegram refused a picture (%s): uploading afresh", error)
            await self.desk.call(file_ids.drop, list(known))
            return await self._send(matches, {}, as_is=False)

    async def _send(
        self, matches: Sequence[Shown], known: Mapping[str, str], *, as_is: bool
    ) -> list[Shown]:
        media: list[InputMediaPhoto] = []
        sent: list[Shown] = []
        for match in matches:
            picture: str | InputFile | None = known.get(match.image_id)
            try:
                picture = picture or await self._upload(match, as_is=as_is)
            except (ImageError, OSError) as error:
                LOG.warning("picture %s cannot be sent: %s", match.image_id, error)
                continue
            media.append(InputMediaPhoto(picture, caption=caption(match, self.say)))
            sent.append(match)
        messages = await self._send_media(media) if media else ()
        fresh = {
            match.image_id: message.photo[-1].file_id
            for match, message in zip(sent, messages, strict=False)
            if message.photo and known.get(match.image_id) != message.photo[-1].file_id
        }
        if fresh:
            await self.desk.call((await self.desk.opened()).file_ids.remember, fresh)
        return sent

    async def _upload(self, match: Match | Exhibit, *, as_is: bool) -> InputFile:
        data = await self.desk.call(lambda: photo_for_telegram(match.path, as_is=as_is))
        return InputFile(data, filename=f"{match.image_id}.jpg", attach=True)

    async def _send_media(self, media: Sequence[InputMediaPhoto]) -> Sequence[Message]:
        question = self.question
        reply = None
        if question.reply_to is not None:
            reply = ReplyParameters(question.reply_to, allow_sending_without_reply=True)
        if len(media) > 1:
            return await self.bot.send_media_group(
                question.chat_id,
                media,
                reply_parameters=reply,
                message_thread_id=question.thread_id,
                rate_limit_args=self.resume,
            )
        message = await self.bot.send_photo(
            question.chat_id,
            media[0].media,
            caption=media[0].caption,
            reply_markup=self.markup,
            reply_parameters=reply,
            message_thread_id=question.thread_id,
            rate_limit_args=self.resume,
        )
        return [message]


def _is_about_photo(error: BadRequest) -> bool:
    text = str(error).lower()
    return any(word in text for word in ("file", "photo_", "image_", "media_", "dimensions"))
