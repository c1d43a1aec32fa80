"""The library as the bot sees it: opened in the background, searched in threads, owned if free."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from bot.loading import Loading
from engine.errors import (
    EncoderUnavailableError,
    LibraryLockedError,
    LookalikeError,
    NoTextSideError,
    SettingsError,
    StoreError,
)
from engine.metrics import metric_named

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from PIL.Image import Image

    from engine.config import Settings
    from engine.library import Library
    from engine.search import Match, Query, Search

T = TypeVar("T")

LOG = logging.getLogger(__name__)

FALLBACK_METRIC = "l1"
CLOSE_WITHIN_S = 2.0
RETRY_OWNING_S = 60.0
RETRY_OPENING_S = 15.0
DECODERS = 2  # each may hold one picture of full size in memory
FETCHES = 12  # files of up to 20 MB in memory
MOST_PIXELS = 1_500_000  # of a picture that waits to be asked with; JPEGs come smaller
WRITERS = 2  # a crawl takes one for as long as it lasts
SEARCHERS = 16  # waiting in threads is how concurrent questions come to share an encoder's batch


@dataclass(frozen=True, slots=True)
class Found:
    """What a question brought.

    Attributes:
        matches: Best first.
        metric: The metric really used.
        fallback: Why pixels had to do, or words could not, as the key of a text; None when all
            was as asked.
    """

    matches: Sequence[Match]
    metric: str
    fallback: str | None = None


class Gallery:
    """One library behind a few threads. `open` first; questions wait until it is there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._decoders = ThreadPoolExecutor(DECODERS, "decode")
        self._searchers = ThreadPoolExecutor(SEARCHERS, "search")
        self._writers = ThreadPoolExecutor(WRITERS, "write")
        self._fetching = asyncio.Semaphore(FETCHES)
        self._is_known = asyncio.Event()  # whether it can be opened
        self._trouble: LookalikeError | None = None
        self._library: Library | None = None
        self._search: Search | None = None
        self._opening: asyncio.Future[tuple[Library, Search]] | None = None
        self._owned = asyncio.Event()
        self._locked: LibraryLockedError | None = None
        self._loading = Loading()
        self._writes = 0
        self._in_use = 0
        self._is_unused = asyncio.Event()
        self._is_unused.set()
        self._owning: asyncio.Task[None] | None = None
        self._learning: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the library, as its owner if nobody else is; keep trying to become owner.

        Raises:
            SettingsError: The settings name no usable encoder.
        """
        while self._library is None:
            try:
                await self._take(write=True)
            except LibraryLockedError as error:
                self._locked = error
                LOG.warning("%s Serving as a reader until then.", error)
                await self._read_meanwhile()
            except SettingsError:
                raise
            except Exception as error:  # noqa: BLE001 -- else questions would wait for ever
                await self._fail(error)
        if not self._owned.is_set():
            self._owning = asyncio.create_task(self._become_owner())

    async def _read_meanwhile(self) -> None:
        try:
            await self._take(write=False)
        except Exception as error:  # noqa: BLE001 -- as above
            await self._fail(error)

    async def _fail(self, error: Exception) -> None:
        """Questions are told; the next attempt comes after a while."""
        is_plain = isinstance(error, LookalikeError)
        LOG.error("the library cannot be opened: %s", error, exc_info=None if is_plain else error)
        self._trouble = (
            error
            if isinstance(error, LookalikeError)
            else StoreError("The library cannot be opened.", key="store_broken")
        )
        self._is_known.set()
        await asyncio.sleep(RETRY_OPENING_S)

    async def _become_owner(self) -> None:
        while not self._owned.is_set():
            await asyncio.sleep(RETRY_OWNING_S)
            try:
                await self._take(write=True)
            except LibraryLockedError as error:
                LOG.debug("%s", error)
            except Exception as error:  # noqa: BLE001 -- the bot goes on as a reader
                LOG.warning("the library cannot be taken over: %s", error)

    async def _take(self, *, write: bool) -> None:
        # Shielded: a thread that opens a library goes on, and what it brings is `close`'s to close.
        self._opening = asyncio.ensure_future(asyncio.to_thread(_open, self._settings, write=write))
        library, search = await asyncio.shield(self._opening)
        previous, self._library = self._library, library
        self._search = search
        if write:
            self._owned.set()
        self._trouble = None
        self._is_known.set()
        LOG.info("the library is open (%s)", "as its owner" if write else "reading only")
        self._loading.begin(library.encoder)
        if self._learning is not None:
            self._learning.cancel()
        self._learning = asyncio.create_task(self._learn(search))
        if previous is not None:
            await self._is_unused.wait()
            await asyncio.to_thread(previous.close)

    async def _learn(self, search: Search) -> None:
        """Learn now what a weak match is, and not while the first person waits."""
        try:
            await self._run(self._searchers, search.weak_below, self._settings.metric)
        except Exception as error:  # noqa: BLE001 -- then it is learnt at the first question
            LOG.info("what a weak match is could not be learnt yet: %s", error)

    @property
    def is_owner(self) -> bool:
        """Whether this process may write the library."""
        return self._owned.is_set()

    async def revision(self) -> tuple[int, ...]:
        """Another one when the library's pictures are others, as far as this process knows."""
        await self._ready()
        if self._library is None:
            return ()
        vectors = self._library.vectors
        return (
            id(self._library),
            self._writes,
            len(self._library.thumbnails),
            0 if vectors is None else len(vectors),
        )

    async def owned(self) -> None:
        """Wait until this process is the library's owner."""
        await self._owned.wait()

    async def write(self, function: Callable[[Library], T]) -> T:
        """Run something that changes the library, in a thread of its own.

        Raises:
            LibraryLockedError: Another process is its owner.
            LookalikeError: It cannot be opened, or what `function` raises.
        """
        await self._ready()
        if self._library is None or not self._owned.is_set():
            raise self._locked or LibraryLockedError(
                "Another program is writing the library.", key="library_locked"
            )
        self._writes += 1
        return await self._run(self._writers, function, self._library)

    async def consult(self, function: Callable[[Search], T]) -> T:
        """Run something that searches, in one of the searchers' threads.

        Raises:
            LookalikeError: The library cannot be opened, or what `function` raises.
        """
        search = await self._ready()
        return await self._run(self._searchers, function, search)

    async def read(self, function: Callable[[Library], T]) -> T:
        """Run something that looks things up in the library, beside the searches.

        Raises:
            LookalikeError: It cannot be opened, or what `function` raises.
        """
        await self._ready()
        if self._library is None:
            raise RuntimeError("the gallery is closed")
        return await self._run(self._searchers, function, self._library)

    async def fetch(self, fetch: Callable[[], Awaitable[bytes]]) -> bytes:
        """Fetch a file when it is its turn; only a few come at a time."""
        async with self._fetching:
            return await fetch()

    async def decode(self, fetch: Callable[[], Awaitable[bytes]]) -> Image:
        """Fetch a picture to ask with and open it; only a few are held as files at a time.

        Args:
            fetch: Brings the file's bytes; called when it is this picture's turn.

        Raises:
            ImageError: It is no usable picture.
        """
        search = await self._ready()
        async with self._fetching:
            data = await fetch()
            return await self._run(self._decoders, _open_query, search, data)

    async def ask(self, query: Query) -> Found:
        """Search; by pixels when the metric needs an encoder and none can be used.

        Raises:
            LookalikeError: The library is empty, the category unknown, …
        """
        query = replace(query, category=await self._real_category(query))
        is_pictured = bool(query.images or query.like)
        space = metric_named(query.metric).space
        if query.text and space == "pixels":
            if is_pictured:
                return await self._without_words(query)
            query = replace(query, metric="clip")  # the only way to compare words
        elif space == "embeddings" and not await self.encoder_is_up() and is_pictured:
            return await self._by_pixels(query, "answer.loading")
        try:
            return Found(await self._find(query), query.metric)
        except NoTextSideError:
            if not is_pictured:
                raise
            return await self._without_words(query)
        except EncoderUnavailableError as error:
            if not is_pictured:
                raise
            LOG.debug("no encoder: %s", error)
        return await self._by_pixels(query, "answer.fallback")

    async def _without_words(self, query: Query) -> Found:
        matches = await self._find(replace(query, text=None))
        return Found(matches, query.metric, "answer.words_ignored")

    async def _by_pixels(self, query: Query, reason: str) -> Found:
        matches = await self._find(replace(query, metric=FALLBACK_METRIC, text=None))
        return Found(matches, FALLBACK_METRIC, reason)

    async def _find(self, query: Query) -> Sequence[Match]:
        """Search in the library as it is now: it may have changed hands since the last step."""
        search = await self._ready()
        return await self._run(self._searchers, search.run, query)

    async def encoder_is_up(self) -> bool:
        """Whether embeddings can be asked for; waits a while for an encoder that is being loaded.

        True also where there is none to wait for.
        """
        await self._ready()
        if self._library is not None:
            self._loading.begin(self._library.encoder)
        return await self._loading.is_over()

    async def _real_category(self, query: Query) -> str | None:
        """A hashtag holds no spaces or hyphens: `#red_panda` is the category `red panda`."""
        await self._ready()
        written = query.category
        if written is None or self._library is None:
            return written
        names: dict[str, str] = {}
        for owner in reversed(query.owners):  # everyone's spelling last: it counts
            counts = await self._run(self._searchers, self._library.catalog.categories, owner)
            names |= {_as_hashtag(count.category): count.category for count in counts}
        return names.get(_as_hashtag(written), written)

    async def ready(self) -> None:
        """Wait until the library is open.

        Raises:
            LookalikeError: It cannot be opened for now.
        """
        await self._ready()

    async def _ready(self) -> Search:
        await self._is_known.wait()
        if self._search is not None:
            return self._search
        raise self._trouble or RuntimeError("the gallery is closed")

    async def _run(
        self, threads: ThreadPoolExecutor, function: Callable[..., T], *args: object
    ) -> T:
        loop = asyncio.get_running_loop()
        self._in_use += 1
        self._is_unused.clear()
        future = threads.submit(function, *args)
        # Not in a `finally`: a thread goes on after its question was cut.

        def tell(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended before the thread
                loop.call_soon_threadsafe(self._one_has_ended)

        future.add_done_callback(tell)
        return await asyncio.wrap_future(future)

    def _one_has_ended(self) -> None:
        self._in_use -= 1
        if not self._in_use:
            self._is_unused.set()

    async def close(self) -> None:
        """Release the library, also one that is being opened; running searches end first."""
        self._loading.cancel()
        for task in (self._owning, self._learning):
            if task is not None:
                task.cancel()
        self._decoders.shutdown(wait=False, cancel_futures=True)
        self._searchers.shutdown(wait=False, cancel_futures=True)
        self._writers.shutdown(wait=False, cancel_futures=True)
        library, self._library, self._search = self._library, None, None
        deadline = asyncio.get_running_loop().time() + CLOSE_WITHIN_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._is_unused.wait()
        if library is not None and not self._in_use:
            await asyncio.to_thread(library.close)
        await self._close_untaken(library, deadline)

    async def _close_untaken(self, taken: Library | None, deadline: float) -> None:
        """Close what a thread has opened, or still opens, for a `_take` that was cancelled."""
        if self._opening is None:
            return
        try:
            async with asyncio.timeout_at(deadline):
                opened, _ = await asyncio.shield(self._opening)
        except Exception as error:  # noqa: BLE001 -- then there is nothing to close
            LOG.debug("nothing was opened: %r", error)
            return
        if opened is not taken:
            await asyncio.to_thread(opened.close)


def _open(settings: Settings, *, write: bool) -> tuple[Library, Search]:
    from engine.library import Library
    from engine.search import Search

    library = Library.open(settings, write=write)
    return library, Search(library)


def _open_query(search: Search, data: bytes) -> Image:
    """Decoded; a large one by a whole factor smaller, for up to ten of them wait in memory."""
    image = search.open_query(data)
    factor = math.isqrt(image.width * image.height // MOST_PIXELS)
    return image.reduce(factor) if factor > 1 else image


def _as_hashtag(category: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in category.casefold())
