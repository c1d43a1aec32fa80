"""A question's way to its answer: search, album, then the message with the buttons."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters

from bot.album import AlbumReply
from bot.busy import Busy
from bot.pictures import download
from bot.recall import Recall
from engine.errors import LookalikeError
from engine.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import Update
    from telegram.ext import ExtBot

    from bot.desk import Desk
    from bot.gallery import Found
    from bot.i18n import Translator
    from bot.questions import Question
    from engine.search import Match

LOG = logging.getLogger(__name__)

MOST_UNFINISHED = 1024


class Answerer:
    """Answers questions; one for the whole bot."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recall = Recall()
        # Albums sent whose buttons are still to come, should that fail and be tried again later:
        # by update id. Only what an earlier process had sent must be looked for in the chat.
        self._albums: dict[int, list[Match]] = {}  # at most MOST_UNFINISHED

    async def answer(
        self, bot: ExtBot[int], update: Update, question: Question, say: Translator
    ) -> None:
        """Search and send the answer to `question`, exactly once for this update.

        Raises:
            LookalikeError: There is no answer; the message says why.
            TelegramError: It could not be sent.
        """
        chat_id, thread_id = question.chat_id, question.thread_id
        if question.scope is None:  # from now on it stays so, on every page
            choices = await self._desk.call((await self._desk.opened()).preferences.of, chat_id)
            question = replace(question, scope=choices.scope or "both")
        async with Busy(self._desk, bot, update, say, chat_id=chat_id, thread_id=thread_id):
            found = await self._search(bot, question)
        resume = await self._desk.begin(update, question.chat_id)
        sent = self._albums.get(update.update_id)
        if sent is None:
            reply = AlbumReply(self._desk, bot, question, say, resume)
            sent = await reply.send(found.matches) if found.matches else []
            self._remember(update.update_id, sent)
        ids = {match.rank: match.image_id for match in sent}
        shown = replace(
            question,
            shown=tuple(ids.get(m.rank, "") for m in found.matches),
            best=sent[0].category if sent else None,
        )
        if sent:
            await self._desk.call((await self._desk.opened()).questions.keep, shown)
        lines = _summary(question, found, sent, say)
        if question.text:
            lines += await self._about_words(question.text, sent, say)
        await bot.send_message(
            question.chat_id,
            "\n".join(lines),
            reply_markup=buttons(shown, say) if sent else None,
            message_thread_id=question.thread_id,
            reply_parameters=(
                None
                if sent
                else ReplyParameters(question.reply_to, allow_sending_without_reply=True)
            ),
            rate_limit_args=resume,
        )
        self._albums.pop(update.update_id, None)

    def _remember(self, update_id: int, sent: list[Match]) -> None:
        self._albums[update_id] = sent
        if len(self._albums) > MOST_UNFINISHED:  # what was given up is never asked for again
            del self._albums[next(iter(self._albums))]

    async def _about_words(self, text: str, sent: Sequence[Match], say: Translator) -> list[str]:
        """What helps where words found little: another encoder, or the nearest topics."""
        lines = []
        try:
            if not await self._desk.gallery.consult(lambda search: search.reads(text)):
                lines.append(say("answer.language"))
            if all(match.is_weak for match in sent):
                topics = await self._desk.gallery.consult(lambda s: s.nearest_topics(text))
                if topics:
                    named = ", ".join(f"#{topic.replace(' ', '_')}" for topic in topics)
                    lines.append(say("answer.topics", topics=named))
        except LookalikeError as error:
            LOG.debug("nothing can be said of the words: %s", error)
        return lines

    async def _search(self, bot: ExtBot[int], question: Question) -> Found:
        await self._desk.gallery.ready()  # has imported the search, which is slow, in a thread
        from engine.search import Query

        revision = await self._desk.gallery.revision()
        catalog = (await self._desk.opened()).catalog
        has_own = await self._desk.call(catalog.categories, question.chat_id)
        owner = question.chat_id if has_own else None
        if (known := self._recall.get(question, revision, owner)) is not None:
            return known
        images = [await download(self._desk, bot, file_id) for file_id in question.file_ids]
        found = await self._desk.gallery.ask(
            Query(
                images=tuple(images),
                like=question.like,
                text=question.text,
                metric=question.metric,
                topk=question.topk,
                page=question.page,
                category=question.category,
                mirror=question.mirror,
                denoise=question.denoise,
                owner=question.chat_id,
                scope=question.scope or "both",
            )
        )
        self._recall.keep(question, revision, owner, found)
        return found


def _summary(question: Question, found: Found, sent: Sequence[Match], say: Translator) -> list[str]:
    metric = say(f"metric.{found.metric}")
    if not sent:
        key = "answer.no_more" if question.page else "answer.nothing"
        return [say(key)]
    lines = [say.count("answer.found", len(sent), metric=metric)]
    if question.page:
        lines[0] += " · " + say("answer.page", page=say.number(question.page + 1))
    if question.category:
        lines[0] += f" · #{question.category}"
    if found.fallback:
        lines.append(say(found.fallback))
    if all(match.is_weak for match in sent):
        lines.append(say("answer.weak"))
    lines.append(say("answer.more"))
    return lines


def buttons(question: Question, say: Translator) -> InlineKeyboardMarkup:
    """More like #n, only this category, next page, other metric."""
    best = question.best
    first = question.page * question.topk + 1
    like = [
        InlineKeyboardButton(
            say("button.like", rank=first + place), callback_data=f"q:{question.key}:like:{place}"
        )
        for place, image_id in enumerate(question.shown)
        if image_id
    ]
    rows = [like[start : start + 5] for start in range(0, len(like), 5)]
    if question.category:
        rows.append(
            [InlineKeyboardButton(say("button.all"), callback_data=f"q:{question.key}:all:")]
        )
    elif like and best:
        label = say("button.only", category=_shortened(best))
        rows.append([InlineKeyboardButton(label, callback_data=f"q:{question.key}:only:0")])
    last = [InlineKeyboardButton(say("button.metric"), callback_data=f"q:{question.key}:metrics:")]
    if len(question.shown) >= question.topk:
        last.insert(
            0,
            InlineKeyboardButton(
                say("button.next"), callback_data=f"q:{question.key}:page:{question.page + 1}"
            ),
        )
    return InlineKeyboardMarkup([*rows, last])


def _shortened(category: str) -> str:
    return category if len(category) <= 24 else category[:23].rstrip() + "…"


def metric_buttons(question: Question, say: Translator) -> InlineKeyboardMarkup:
    """A button for every metric the question was not asked by, and the way back."""
    choices = [
        InlineKeyboardButton(say(f"metric.{name}"), callback_data=f"q:{question.key}:metric:{name}")
        for name in METRICS
        if name != question.metric
    ]
    rows = [choices[start : start + 2] for start in range(0, len(choices), 2)]
    back = InlineKeyboardButton(say("button.back"), callback_data=f"q:{question.key}:back:")
    return InlineKeyboardMarkup([*rows, [back]])
