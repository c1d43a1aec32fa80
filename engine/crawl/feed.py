"""The way from the sources to the crawler: candidates in order, each address once."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from engine.crawl.candidate import Candidate
from engine.crawl.errors import CrawlError, StoppedError
from engine.crawl.report import SourceTrouble
from engine.crawls import url_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Event

    from engine.crawl.fetch import Fetcher
    from engine.crawl.sources.source import Source
    from engine.crawls import CrawlEntry, CrawlLog, KnownUrl

LOOKAHEAD = 20
"""Candidates that wait to be taken; sources are asked for no more until some are."""
POLL_S = 0.1


class Feed:
    """Asks the sources, in a thread of its own and not further ahead than is needed.

    Args:
        sources: Asked in this order.
        fetcher: For the sources; ends with the crawl.
        log: Knows which addresses came up before.
        entry: The crawl.
        wake: Set when there is something to take.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        fetcher: Fetcher,
        log: CrawlLog,
        entry: CrawlEntry,
        wake: Event,
    ) -> None:
        self._sources = sources
        self._fetcher = fetcher
        self._log = log
        self._entry = entry
        self._wake = wake
        self._found: queue.Queue[Candidate] = queue.Queue(LOOKAHEAD)
        self._closed = threading.Event()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._seen: set[str] = set()
        self._known: Mapping[str, KnownUrl] = {}
        self.known = 0
        self.source: str | None = None
        self.troubles: list[SourceTrouble] = []

    def start(self, *, with_waiting: bool) -> None:
        """Begin, with the addresses that wait in the log already if so wished."""
        threading.Thread(
            target=self._run, args=(with_waiting,), name="lookalike-sources", daemon=True
        ).start()

    def close(self) -> None:
        """Ask for nothing more."""
        self._closed.set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left and nothing will come."""
        return self._ended.is_set() and self._found.empty()

    def take(self, limit: int) -> list[Candidate]:
        """What there is, in order, up to a limit; without waiting.

        Raises:
            BaseException: What the thread met with and could not deal with.
        """
        if self._failure is not None:
            raise self._failure
        taken: list[Candidate] = []
        while len(taken) < limit:
            try:
                taken.append(self._found.get_nowait())
            except queue.Empty:
                break
        return taken

    def _run(self, with_waiting: bool) -> None:  # noqa: FBT001 - a thread's target
        try:
            # All at once: a question for each address would cost more than the rest of it.
            self._known = self._log.known(self._entry.category)
            if with_waiting:
                for waiting in self._log.waiting(self._entry.category):
                    self._seen.add(waiting.url)
                    self._put(Candidate(**waiting.candidate))
            for source in self._sources:
                if self._closed.is_set():
                    break
                self.source = source.name
                self._ask(source)
        except BaseException as error:  # noqa: BLE001 - raised again where it is seen
            self._failure = error
        finally:
            self.source = None
            self._ended.set()
            self._wake.set()

    def _ask(self, source: Source) -> None:
        try:
            for candidate in source.candidates(self._entry.topic, self._fetcher):
                if self._closed.is_set():
                    return
                if candidate.url not in self._seen:
                    self._seen.add(candidate.url)
                    if self._is_new(candidate.url):
                        self._put(candidate)
        except StoppedError:
            return
        except CrawlError as error:
            self.troubles.append(SourceTrouble(source.name, error.key, str(error), error.details))

    def _is_new(self, url: str) -> bool:
        known = self._known.get(url_digest(url))
        if known is None or (known.state == "failed" and known.crawl_id != self._entry.id):
            return True
        if known.crawl_id != self._entry.id:
            self.known += 1
        return False

    def _put(self, candidate: Candidate) -> None:
        while not self._closed.is_set():
            try:
                self._found.put(candidate, timeout=POLL_S)
            except queue.Full:
                continue
            self._wake.set()
            return
