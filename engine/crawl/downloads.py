"""Downloading and cleaning in the background, one task for each address."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.crawl.cleaners import BATCH, CLEANERS, Cleaners
from engine.crawl.cleaning import Cleaned, Reason, Refusal
from engine.crawl.errors import CrawlError, StoppedError

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from engine.crawl.candidate import Candidate
    from engine.crawl.fetch import Fetcher
    from engine.crawl.relevance import Relevance
    from engine.crawl.spool import Spool


@dataclass(slots=True)
class Task:
    """An address in hand."""

    candidate: Candidate
    result: Future[Cleaned | Refusal] = field(default_factory=Future)


class Downloads:
    """Fetches and cleans candidates; between the two they lie on disk.

    Args:
        fetcher: Ends its calls when `halt` is set.
        spool: Where downloads lie.
        relevance: Tells what is off topic; None to take that too.
        side: Of the thumbnails to make, in pixels.
        threads: Downloads at once.
        wake: Set when a task is done.
        halt: Set by `close`.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        spool: Spool,
        relevance: Relevance | None,
        *,
        side: int,
        threads: int,
        wake: Event,
        halt: Event,
    ) -> None:
        self._fetcher = fetcher
        self._spool = spool
        self._relevance = relevance
        self._wake = wake
        self._halt = halt
        self._fetchers = ThreadPoolExecutor(threads, "lookalike-fetch")
        self._fetched: deque[Task] = deque()
        self._cleaners = Cleaners(side)
        self._cleaning = ThreadPoolExecutor(CLEANERS, "lookalike-clean")

    def begin(self, candidate: Candidate) -> Task:
        """Work on a candidate; its result comes in time."""
        task = Task(candidate)
        task.result.add_done_callback(lambda _: self._wake.set())
        self._fetchers.submit(self._fetch, task)
        return task

    def close(self) -> None:
        """Tell what is under way to end. It is not waited for: a cancel works at once."""
        self._halt.set()
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        self._cleaning.shutdown(wait=False, cancel_futures=True)
        self._cleaners.close()

    def _fetch(self, task: Task) -> None:
        """Worker: download, unless that was done before, and pass on to the cleaners."""
        try:
            if not self._spool.has(task.candidate.url):
                self._download(task.candidate)
            self._fetched.append(task)
            self._cleaning.submit(self._clean)
        except BaseException as error:  # noqa: BLE001 - the deciding thread judges it
            task.result.set_exception(error)

    def _download(self, candidate: Candidate) -> None:
        """Keep what the first of a picture's addresses gives that gives anything."""
        last: CrawlError | None = None
        for url in (candidate.url, *candidate.alternatives):
            if self._halt.is_set():
                break
            try:
                with self._spool.receiving(candidate.url) as part:
                    self._fetcher.download(url, part)
            except CrawlError as error:
                last = error
            else:
                return
        raise last or StoppedError

    def _clean(self) -> None:
        """Worker: judge what has been downloaded, unless another one is at it."""
        tasks: dict[Path, Task] = {}
        with suppress(IndexError):
            while len(tasks) < BATCH:
                task = self._fetched.popleft()
                tasks[self._spool.path(task.candidate.url)] = task
        try:
            for path, cleaned in self._cleaners.clean(list(tasks)) if tasks else ():
                result = cleaned
                if isinstance(cleaned, Cleaned) and not self._has_topic(cleaned):
                    result = Refusal(Reason.OFF_TOPIC)
                tasks.pop(path).result.set_result(result)
        except BaseException as error:  # noqa: BLE001 - the deciding thread judges it
            for task in tasks.values():
                task.result.set_exception(error)

    def _has_topic(self, cleaned: Cleaned) -> bool:
        return self._relevance is None or self._relevance.has_topic(cleaned.data)
