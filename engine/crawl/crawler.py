"""Crawls: which are to run, one at a time for each category, and how each begins and ends."""

from __future__ import annotations

import threading
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.crawl.relevance import Relevance
from engine.crawl.run import THREADS, Run
from engine.errors import EncoderUnavailableError, LookalikeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from engine.crawl.fetch import Fetcher
    from engine.crawl.report import CrawlProgress, CrawlReport
    from engine.crawl.sources.source import Source
    from engine.crawls import CrawlEntry
    from engine.library import Library


INTERRUPTED = "It was interrupted."


class CrawlRunningError(LookalikeError):
    """A crawl for this category is running already."""


class Crawler:
    """Fills a library from sources. Crawls of different categories may run side by side.

    Args:
        library: Open for writing.
        fetcher: Downloads pictures, and is handed to the sources.
        sources: Asked in this order, each when those before it gave too little.
        threads: Downloads at once.
    """

    def __init__(
        self,
        library: Library,
        fetcher: Fetcher,
        sources: Sequence[Source],
        *,
        threads: int = THREADS,
    ) -> None:
        self._library = library
        self._fetcher = fetcher
        self._sources = list(sources)
        self._threads = threads
        self._lock = threading.Lock()
        self._active: set[str] = set()

    def run(
        self,
        topic: str,
        *,
        wanted: int = 20,
        category: str | None = None,
        crawl_id: int | None = None,
        urls_only: bool = False,
        on_topic_only: bool = False,
        progress: Callable[[CrawlProgress], None] | None = None,
        stop: Event | None = None,
        leave: Event | None = None,
    ) -> CrawlReport:
        """Crawl a topic until the library has this many new pictures, or no more are found.

        A crawl of the category that a crash interrupted is taken up where it was.

        Args:
            topic: What to search for, in any language.
            wanted: How many new pictures.
            category: Where they go; the topic when None.
            crawl_id: A crawl queued before (`CrawlLog.queue`), whose figures count then.
            urls_only: Only take down addresses; the category's next crawl begins with them.
            on_topic_only: Refuse pictures that do not show the topic, as far as the encoder can
                tell from words.
            progress: Called now and then on this thread.
            stop: When set, the crawl ends at once; what it decided for is kept.
            leave: When set, it ends at once, too, but stays unfinished: another run with its
                `crawl_id` goes on with it.

        Raises:
            CrawlRunningError: One for this category is running.
            NoTextSideError: The encoder reads no words (`on_topic_only`).
            EncoderUnavailableError: There is none, or it cannot be loaded (`on_topic_only`).
            StoreError: Something cannot be written. The crawl is marked failed.
        """
        relevance = self._relevance(topic) if on_topic_only else None
        entry = self._entry(topic, wanted, category, crawl_id)
        with self._alone(entry.category):
            log = self._library.crawls
            is_resumed = entry.state == "running"
            log.start(entry.id)
            try:
                run = Run(
                    self._library,
                    self._fetcher,
                    self._sources,
                    entry,
                    threads=self._threads,
                    relevance=relevance,
                    progress=progress,
                    stop=stop or threading.Event(),
                    leave=leave or threading.Event(),
                )
                return run.list_urls() if urls_only else run.fill(is_resumed=is_resumed)
            except BaseException as error:
                log.finish(entry.id, "failed", reason=str(error) or type(error).__name__)
                raise

    def _entry(
        self, topic: str, wanted: int, category: str | None, crawl_id: int | None
    ) -> CrawlEntry:
        log = self._library.crawls
        if crawl_id is not None:
            entry = log.get(crawl_id)
            if entry is None:
                raise ValueError(f"there is no crawl {crawl_id}")
            return entry
        topic = normal(topic)
        category = normal(category or topic)
        with self._lock:
            active = set(self._active)
        for entry in log.unfinished():
            if entry.state == "running" and entry.category == category not in active:
                if (entry.topic, entry.wanted) == (topic, wanted):
                    return entry
                # Something else is asked for now; what it found and did not fetch is taken over.
                log.finish(entry.id, "failed", reason=INTERRUPTED)
        names = [source.name for source in self._sources]
        return log.queue(topic, category=category, wanted=wanted, sources=names)

    def _relevance(self, topic: str) -> Relevance:
        encoder = self._library.stores.load_encoder()
        if encoder is None:
            raise EncoderUnavailableError(
                "Without an encoder nobody can tell what a picture shows; set ENCODER.",
                key="encoder_none",
            )
        return Relevance(encoder, normal(topic))

    @contextmanager
    def _alone(self, category: str) -> Iterator[None]:
        with self._lock:
            if category in self._active:
                raise CrawlRunningError(
                    f"A crawl for {category} is running already.",
                    key="crawl_running",
                    category=category,
                )
            self._active.add(category)
        try:
            yield
        finally:
            with self._lock:
                self._active.discard(category)


def normal(topic: str) -> str:
    """A topic as it is recorded: composed characters, single spaces, none around it.

    Raises:
        LookalikeError: Nothing is left of it.
    """
    words = " ".join(unicodedata.normalize("NFC", topic.replace("\0", " ")).split())
    if not words:
        raise LookalikeError("A topic needs at least one word.", key="crawl_no_topic")
    return words
