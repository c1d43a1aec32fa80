"""What a chat reads of a crawl: that it waits, how far it is, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.i18n import Translator
    from engine.crawl.report import CrawlProgress
    from engine.crawls import CrawlEntry

BAR = 12
MOST_REASONS = 6


def waiting_text(entry: CrawlEntry, say: Translator) -> str:
    """A crawl that has not begun. The same crawl always gives the same text."""
    return "\n".join(
        [
            say("crawl.title", id=entry.id, topic=entry.topic),
            say.count("crawl.waiting", entry.wanted),
        ]
    )


def running_text(entry: CrawlEntry, now: CrawlProgress | None, say: Translator) -> str:
    """A crawl that runs: a bar, what became of the addresses, and the time it has taken."""
    lines = [say("crawl.title", id=entry.id, topic=entry.topic)]
    if now is None:
        return "\n".join([*lines, say("crawl.starting")])
    counts = now.counts
    share = min(counts.added / max(now.wanted, 1), 1.0)
    filled = round(share * BAR)
    lines.append(
        f"{'▓' * filled}{'░' * (BAR - filled)} "
        f"{say.number(counts.added)} / {say.number(now.wanted)}"
    )
    lines += _figures(counts.found, counts.added, counts.refused, counts.failed, say)
    if now.source:
        lines.append(say("crawl.asking", source=now.source))
    lines.append(say("crawl.elapsed", time=_clock(now.seconds)))
    return "\n".join(lines)


def ended_text(entry: CrawlEntry, say: Translator) -> str:
    """How a crawl ended, from what the log keeps of it."""
    lines = [say("crawl.title", id=entry.id, topic=entry.topic)]
    counts = entry.counts
    if entry.state == "failed":
        lines.append(say("crawl.failed", reason=entry.reason or "?"))
    elif entry.state == "cancelled":
        lines.append(say("crawl.cancelled"))
    else:
        lines.append(say("crawl.done"))
    if counts:
        refused, failed = counts.get("refused", {}), counts.get("failed", {})
        lines += _figures(counts.get("found", 0), counts.get("added", 0), refused, failed, say)
        if counts.get("known"):
            lines.append(say.count("crawl.known", counts["known"]))
        for trouble in counts.get("troubles", ()):
            name, details = trouble["key"], trouble.get("details", {})
            error = LookalikeError(trouble["message"], key=name, **details)
            lines.append(f"⚠️ {trouble['source']}: {say.error(error)}")
        if counts.get("without_encoder"):
            lines.append(say("crawl.without_encoder"))
    if entry.started_at and entry.finished_at:
        seconds = (entry.finished_at - entry.started_at).total_seconds()
        lines.append(say("crawl.elapsed", time=_clock(seconds)))
    return "\n".join(lines)


def listed_text(entry: CrawlEntry, say: Translator) -> str:
    """A crawl in a line, for the list of them."""
    added = entry.counts.get("added", 0)
    line = say(
        f"crawls.{entry.state}",
        id=entry.id,
        topic=entry.topic,
        added=say.number(added),
        wanted=say.number(entry.wanted),
    )
    ended = entry.finished_at or entry.created_at
    return f"{line} · {say.moment(ended)}"


def cancel_button(crawl_id: int, say: Translator, *, label: str = "") -> InlineKeyboardMarkup:
    """The button that ends a crawl."""
    return InlineKeyboardMarkup([[cancel_key(crawl_id, label or say("button.cancel"))]])


def cancel_key(crawl_id: int, label: str) -> InlineKeyboardButton:
    """The key of that button."""
    return InlineKeyboardButton(label, callback_data=f"crawl:cancel:{crawl_id}")


def _figures(
    found: int,
    added: int,
    refused: Mapping[str, int],
    failed: Mapping[str, int],
    say: Translator,
) -> list[str]:
    lines = [say("crawl.figures", found=say.number(found), added=say.number(added))]
    for key, counts in (("crawl.refused", refused), ("crawl.unreached", failed)):
        if counts:
            number = say.number(sum(counts.values()))
            lines.append(say(key, number=number, reasons=_reasons(counts, say)))
    return lines


def _reasons(counts: Mapping[str, int], say: Translator) -> str:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown = [f"{say.number(number)} {say.reason(reason)}" for reason, number in ordered]
    return ", ".join(shown[:MOST_REASONS]) + (" …" if len(shown) > MOST_REASONS else "")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
