"""One run of a crawl: sources, downloads, cleaning, and the library, in good order.

One thread asks the sources, several download, a few clean, one stores. The calling thread decides,
and it decides in the order in which the addresses were found, whatever came first: so the same
answers give the same library, also when the crawl was interrupted in between.

An address goes: `waiting` in the log → download on disk (`engine.crawl.spool`) → decision in the
log → picture in the library → download deleted. A `kill -9` anywhere leaves a state that the next
run goes on from without asking for what it has.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engine.crawl.cleaning import Cleaned, Reason, Refusal
from engine.crawl.downloads import Downloads, Task
from engine.crawl.errors import CrawlError, StoppedError
from engine.crawl.feed import Feed
from engine.crawl.report import CrawlCounts, CrawlProgress, CrawlReport, Phase
from engine.crawl.spool import Spool, sweep
from engine.crawls import FoundUrl, UrlOutcome
from engine.duplicates import Originals
from engine.errors import EncoderUnavailableError
from engine.library import NewPicture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from engine.crawl.candidate import Candidate
    from engine.crawl.fetch import Fetcher
    from engine.crawl.relevance import Relevance
    from engine.crawl.sources.source import Source
    from engine.crawls import CrawlEntry, CrawlState
    from engine.library import Library

THREADS = 16
"""Downloads at once, over all hosts; most of them wait for their host's turn."""
AHEAD = 64
"""Addresses in hand, beyond the one that is decided next; never more than are still wanted."""
TAKE = 16
"""Addresses taken in hand together, while there are enough of them."""
STORE_BATCH = 64
STORE_EVERY_S = 0.5
REPORT_EVERY_S = 0.1
POLL_S = 0.1
"""How soon a crawl notices that it is to stop."""


class Run:
    """One run of one crawl.

    Args:
        library: Open for writing.
        fetcher: Downloads, and is handed to the sources.
        sources: Asked in this order.
        entry: The crawl, as the log has it.
        threads: Downloads at once.
        relevance: Tells what is off topic; None to take that too.
        progress: Called now and then on the calling thread.
        stop: When set, the run ends at once: the crawl is cancelled.
        leave: When set, the run ends at once: the crawl stays, for a later run to go on with.
    """

    def __init__(
        self,
        library: Library,
        fetcher: Fetcher,
        sources: Sequence[Source],
        entry: CrawlEntry,
        *,
        threads: int = THREADS,
        relevance: Relevance | None = None,
        progress: Callable[[CrawlProgress], None] | None,
        stop: Event,
        leave: Event,
    ) -> None:
        self._library = library
        self._log = library.crawls
        self._halt = threading.Event()
        self._fetcher = fetcher.until(self._halt)
        self._entry = entry
        self._progress = progress
        self._stop = stop
        self._leave = leave
        self._threads = threads
        self._relevance = relevance
        self._started = time.monotonic()
        self._reported_at = 0.0
        self._phase: Phase = "searching"
        self._tally: Counter[tuple[Any, str | None]] = Counter()
        self._wake = threading.Event()
        self._feed = Feed(sources, self._fetcher, self._log, entry, self._wake)
        self._ahead: deque[Task] = deque()
        self._outcomes: list[UrlOutcome] = []
        self._pictures: list[NewPicture] = []
        self._stored_at = time.monotonic()
        self._storing: deque[Future[None]] = deque()
        self._without_encoder: str | None = None

    def list_urls(self) -> CrawlReport:
        """Take down addresses without asking for them."""
        self._feed.start(with_waiting=False)
        try:
            while self._in_log("waiting") < self._entry.wanted and not self._is_to_end:
                missing = self._entry.wanted - self._in_log("waiting")
                found = self._feed.take(missing)
                self._log.take(self._entry, [_found(candidate) for candidate in found])
                self._tally["waiting", None] += len(found)
                self._report()
                if not found:
                    if self._feed.is_empty:
                        break
                    self._pause()
        finally:
            self._feed.close()
            self._halt.set()
        return self._finished()

    def fill(self, *, is_resumed: bool) -> CrawlReport:
        """Fetch, clean and store."""
        catalog = self._library.catalog
        data_dir = self._library.settings.data_dir
        sweep(data_dir, lambda: (each.id for each in self._log.unfinished()))
        self._spool = Spool(data_dir, self._entry.id)
        if is_resumed and catalog.pending_ids():
            # Pictures whose files were written, but not yet their thumbnails or embeddings.
            self._library.index([], stop=self._stop)
        self._log.reopen(self._entry.category)
        self._tally.update(
            {key: n for key, n in self._log.tally(self._entry.id).items() if key[0] != "waiting"}
        )
        self._ids = set(catalog.all_ids(None))
        self._originals = Originals(*catalog.phashes())
        downloads = Downloads(
            self._fetcher,
            self._spool,
            self._relevance,
            side=self._library.thumbnails.side,
            threads=self._threads,
            wake=self._wake,
            halt=self._halt,
        )
        self._storer = ThreadPoolExecutor(1, "lookalike-store")
        self._feed.start(with_waiting=True)
        try:
            self._work(downloads)
        finally:
            self._feed.close()
            downloads.close()
            self._phase = "storing"
            self._store()
            while self._storing:
                self._storing.popleft().result()
            self._storer.shutdown()
        if not self._leave.is_set():
            self._spool.close()
        return self._finished()

    def _work(self, downloads: Downloads) -> None:
        while not self._is_to_end:
            self._top_up(downloads)
            if self._ahead and self._ahead[0].result.done():
                self._settle(self._ahead.popleft())
            elif self._ahead or not (self._is_enough or self._feed.is_empty):
                self._pause()
            else:
                self._feed.take(0)  # tells what its thread could not deal with
                return
            if time.monotonic() - self._stored_at >= STORE_EVERY_S or (
                len(self._outcomes) >= STORE_BATCH
            ):
                self._store()
            self._report()

    @property
    def _is_to_end(self) -> bool:
        return self._stop.is_set() or self._leave.is_set()

    @property
    def _is_enough(self) -> bool:
        return self._in_log("fetched") >= self._entry.wanted

    def _in_log(self, state: str) -> int:
        return self._tally[state, None]

    def _pause(self) -> None:
        self._wake.wait(POLL_S)
        self._wake.clear()

    def _top_up(self, downloads: Downloads) -> None:
        """Take addresses in hand, never more than could all be wanted: none is asked for nothing.

        (The bound holds at every moment; what is refused makes room for the next.)
        """
        room = min(AHEAD, self._entry.wanted - self._in_log("fetched")) - len(self._ahead)
        if room < TAKE and len(self._ahead) > self._threads:
            return  # enough in hand: each taking is a transaction
        found = self._feed.take(room)
        self._log.take(self._entry, [_found(candidate) for candidate in found])
        self._ahead += [downloads.begin(candidate) for candidate in found]
        if found:
            self._phase = "fetching"

    def _settle(self, task: Task) -> None:
        """Decide what becomes of an address."""
        url = task.candidate.url
        try:
            result = self._unless_repeated(task.result.result())
        except StoppedError:
            return  # its address waits for the next crawl
        except CrawlError as error:
            outcome = UrlOutcome(url, "failed", error.key)
        else:
            if isinstance(result, Refusal):
                outcome = UrlOutcome(url, "refused", result.reason.value)
            else:
                outcome = UrlOutcome(url, "fetched", image_id=result.id)
                self._take_in(task.candidate, result)
        self._tally[outcome.state, outcome.reason] += 1
        self._outcomes.append(outcome)

    def _unless_repeated(self, result: Cleaned | Refusal) -> Cleaned | Refusal:
        if isinstance(result, Refusal):
            return result
        if result.id in self._ids or result.original_id in self._ids:
            return Refusal(Reason.DUPLICATE)
        if self._originals.nearest(result.phash) is not None:
            return Refusal(Reason.NEAR_DUPLICATE)
        return result

    def _take_in(self, candidate: Candidate, cleaned: Cleaned) -> None:
        self._ids |= {cleaned.id, cleaned.original_id}
        self._originals.add(cleaned.id, cleaned.phash)
        photo = cleaned.photo(
            self._entry.category,
            source=candidate.source,
            landing_page=candidate.landing_page,
            title=candidate.title,
            creator=candidate.creator,
            licence=candidate.licence,
            licence_url=candidate.licence_url,
        )
        self._pictures.append(NewPicture(cleaned.data, photo, cleaned.thumb))

    def _store(self) -> None:
        """Store in the background what was decided; waits when two batches are under way."""
        self._stored_at = time.monotonic()
        outcomes, self._outcomes = self._outcomes, []
        pictures, self._pictures = self._pictures, []
        while len(self._storing) > 1 or (self._storing and self._storing[0].done()):
            self._storing.popleft().result()
        if outcomes:
            self._storing.append(self._storer.submit(self._put, outcomes, pictures))

    def _put(self, outcomes: list[UrlOutcome], pictures: list[NewPicture]) -> None:
        # The decision first: a picture in the library whose address still waits would be taken for
        # its own duplicate. `CrawlLog.reopen` settles the other case.
        self._log.settle(self._entry, outcomes)
        if pictures:
            try:
                self._library.stores.load_encoder()
            except EncoderUnavailableError as error:
                self._without_encoder = str(error)
            self._library.add(pictures)
        self._spool.drop(outcome.url for outcome in outcomes)

    def _finished(self) -> CrawlReport:
        state: CrawlState = "cancelled" if self._stop.is_set() else "done"
        counts = self._counts(in_hand=0 if self._ahead else None)
        if self._leave.is_set() and state == "done":
            state = "running"
        else:
            ended = {
                **counts.as_json(),
                "troubles": [asdict(trouble) for trouble in self._feed.troubles],
                "without_encoder": self._without_encoder,
            }
            self._log.finish(self._entry.id, state, counts=ended)
        self._ahead.clear()
        self._phase = "done"
        self._report(now=True)
        return CrawlReport(
            crawl_id=self._entry.id,
            topic=self._entry.topic,
            category=self._entry.category,
            wanted=self._entry.wanted,
            state=state,
            counts=counts,
            pictures=tuple(self._log.pictures(self._entry.id)),
            troubles=tuple(self._feed.troubles),
            without_encoder=self._without_encoder,
            seconds=time.monotonic() - self._started,
        )

    def _counts(self, *, in_hand: int | None) -> CrawlCounts:
        return CrawlCounts.of(self._tally, known=self._feed.known, in_hand=in_hand)

    def _report(self, *, now: bool = False) -> None:
        moment = time.monotonic()
        if self._progress and (now or moment - self._reported_at >= REPORT_EVERY_S):
            self._reported_at = moment
            self._progress(
                CrawlProgress(
                    crawl_id=self._entry.id,
                    topic=self._entry.topic,
                    wanted=self._entry.wanted,
                    counts=self._counts(in_hand=len(self._ahead) or None),
                    phase=self._phase,
                    source=self._feed.source,
                    seconds=moment - self._started,
                )
            )


def _found(candidate: Candidate) -> FoundUrl:
    return FoundUrl(candidate.url, asdict(candidate))
