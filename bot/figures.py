"""What /stats tells: gathered from library, encoder, line and crawls, and put into words."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import LookalikeError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.desk import Desk
    from bot.i18n import Translator
    from bot.latency import Percentiles
    from engine.crawls import CrawlEntry
    from engine.library import Library, LibraryStats

OPENING_WAIT_S = 3.0
CRAWLS_LOOKED_AT = 100
_UNITS = (("stats.gb", 1e9), ("stats.mb", 1e6), ("stats.kb", 1e3))


@dataclass(frozen=True, slots=True)
class EncoderState:
    """The encoder that questions are asked with; `dimension` and `device` once it is loaded."""

    name: str
    is_loaded: bool
    device: str = ""
    dimension: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The running bot in figures.

    Attributes:
        library: None while it cannot be opened; `trouble` then says why.
        is_owner: Whether this process may write the library.
        crawls: Those that run or wait, oldest first.
        last_crawl: The one that ended last.
        disk_free: Bytes free where `DATA_DIR` lies, of `disk_size`.
    """

    uptime_s: float
    waiting: int
    in_hand: int
    latency: Percentiles | None
    library: LibraryStats | None
    trouble: LookalikeError | None
    is_owner: bool
    encoder: EncoderState | None
    crawls: Sequence[CrawlEntry]
    last_crawl: CrawlEntry | None
    disk_free: int
    disk_size: int


class Gathering:
    """Gathers figures; made when the bot starts, for it tells how long that is ago."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._since = time.monotonic()

    async def figures(self) -> Figures:
        """The figures of this moment."""
        desk = self._desk
        recent = await desk.call((await desk.opened()).crawls.recent, CRAWLS_LOOKED_AT)
        library, trouble = await self._library()
        disk = await desk.call(shutil.disk_usage, desk.settings.data_dir)
        is_open = {"queued", "running"}
        return Figures(
            uptime_s=time.monotonic() - self._since,
            waiting=desk.line.waiting,
            in_hand=desk.line.in_hand,
            latency=desk.line.latency.percentiles(),
            library=library[0] if library else None,
            trouble=trouble,
            is_owner=desk.gallery.is_owner,
            encoder=library[1] if library else None,
            crawls=[each for each in reversed(recent) if each.state in is_open],
            last_crawl=next((each for each in recent if each.state not in is_open), None),
            disk_free=disk.free,
            disk_size=disk.total,
        )

    async def _library(
        self,
    ) -> tuple[tuple[LibraryStats, EncoderState | None] | None, LookalikeError | None]:
        try:
            async with asyncio.timeout(OPENING_WAIT_S):
                await self._desk.gallery.ready()
            return await self._desk.gallery.read(_look), None
        except LookalikeError as error:
            return None, error
        except TimeoutError:
            return None, StoreError("The library is still being opened.", key="library_opening")


def _look(library: Library) -> tuple[LibraryStats, EncoderState | None]:
    library.refresh()
    encoder, stats = library.encoder, library.stats()
    if encoder is None:
        return stats, None
    if not encoder.is_loaded:
        return stats, EncoderState(encoder.spec, is_loaded=False)
    loaded = encoder.load(timeout_s=0)
    return stats, EncoderState(
        encoder.spec, is_loaded=True, device=loaded.device, dimension=loaded.dimension
    )


def in_words(figures: Figures, say: Translator) -> str:
    """The figures as one message."""
    return "\n".join([
        say("stats.title", uptime=_span(figures.uptime_s, say)),
        "",
        *_library_lines(figures, say),
        *_encoder_lines(figures, say),
        say("stats.queue", waiting=say.number(figures.waiting), busy=say.number(figures.in_hand)),
        _latency_line(figures.latency, say),
        *_crawl_lines(figures, say),
        say("stats.disk", free=_size(figures.disk_free, say), size=_size(figures.disk_size, say)),
    ])  # fmt: skip


def _library_lines(figures: Figures, say: Translator) -> list[str]:
    stats = figures.library
    if stats is None:
        reason = say.error(figures.trouble) if figures.trouble else "?"
        return [say("stats.no_library", reason=reason)]
    pictures = say.count("categories.pictures", stats.pictures)
    lines = [
        say.count("stats.library", stats.categories, pictures=pictures),
        say("stats.near", number=say.number(stats.near_duplicates)),
        say(
            "stats.on_disk",
            files=_size(stats.file_bytes, say),
            index=_size(stats.index_bytes, say),
        ),
    ]
    if stats.pending:
        lines.append(say("stats.pending", number=say.number(stats.pending)))
    if not figures.is_owner:
        lines.append(say("stats.reader"))
    return lines


def _encoder_lines(figures: Figures, say: Translator) -> list[str]:
    if figures.library is None:
        return []
    encoder = figures.encoder
    if encoder is None:
        return [say("stats.no_encoder")]
    embedded = say(
        "stats.embedded",
        number=say.number(figures.library.embedded),
        pictures=say.number(figures.library.pictures),
    )
    if not encoder.is_loaded:
        return [say("stats.encoder_absent", name=encoder.name), embedded]
    dimension = say.number(encoder.dimension)
    loaded = say("stats.encoder", name=encoder.name, device=encoder.device, dimension=dimension)
    return [loaded, embedded]


def _latency_line(latency: Percentiles | None, say: Translator) -> str:
    if latency is None:
        return say("stats.no_answers")
    p50, p95, p99 = (_seconds(s, say) for s in (latency.p50_s, latency.p95_s, latency.p99_s))
    return say.count("stats.answers", latency.count, p50=p50, p95=p95, p99=p99)


def _crawl_lines(figures: Figures, say: Translator) -> list[str]:
    lines = [
        say(f"crawls.{each.state}", **_crawl(each, say))
        for each in figures.crawls
        if each.state == "running"
    ]
    waiting = len(figures.crawls) - len(lines)
    if waiting:
        lines.append(say.count("stats.crawls_waiting", waiting))
    last = figures.last_crawl
    if not lines and last is not None:
        lines.append(say(f"crawls.{last.state}", **_crawl(last, say)))
    return lines or [say("stats.no_crawls")]


def _crawl(entry: CrawlEntry, say: Translator) -> dict[str, str]:
    added = say.number(entry.counts.get("added", 0))
    return {
        "id": str(entry.id),
        "topic": entry.topic,
        "added": added,
        "wanted": say.number(entry.wanted),
    }


def _seconds(seconds: float, say: Translator) -> str:
    return say("stats.seconds", number=say.number(seconds, 2 if seconds < 10 else 0))


def _size(number: int, say: Translator) -> str:
    """In thousands, as disks are sold."""
    for key, unit in _UNITS:
        if number >= unit:
            return say(key, number=say.number(number / unit, 1 if number < 100 * unit else 0))
    return say("stats.kb", number=say.number(number / 1e3, 1))


def _span(seconds: float, say: Translator) -> str:
    """The two largest units: days and hours, hours and minutes, or minutes."""
    minutes = int(seconds // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [("stats.days", days), ("stats.hours", hours), ("stats.minutes", minutes)]
    while len(parts) > 1 and not parts[0][1]:
        del parts[0]
    return " ".join(
        say.count(key, number) for key, number in parts[:2] if number or key == parts[0][0]
    )
