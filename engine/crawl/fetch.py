"""Fetching: every request a crawl makes goes through here, guarded, polite and bounded."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from engine.crawl.body import Memory, too_large
from engine.crawl.errors import AddressError, FetchError, StoppedError
from engine.crawl.exchange import Answer, Exchanges
from engine.crawl.guard import resolve
from engine.crawl.politeness import Politeness
from engine.crawl.robots import MAX_BYTES, Robots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import Event

    from engine.config import Settings
    from engine.crawl.body import Sink
    from engine.crawl.politeness import Lane

MAX_REDIRECTS = 5
MAX_IMAGE_BYTES = 20 * 2**20
MAX_TEXT_BYTES = 5 * 2**20
DEADLINE_S = 30.0
"""For one whole exchange, from connecting to the last byte; waiting for a turn is not counted."""
ATTEMPTS = 4
MAX_RETRY_AFTER_S = 120.0
"""Who wants a longer wait is given up for that download; its host is left alone for this long."""
CONTACT = "a self-hosted image search; it obeys robots.txt"
"""What the User-Agent says where nobody gave a `CRAWL_CONTACT`."""


class Fetcher:
    """Fetches from the web. Safe to use from several threads; make one for the whole process.

    Args:
        settings: For `CRAWL_DELAY`, `CRAWL_ALLOW` and `CRAWL_CONTACT`.
        folders: Where `file:` addresses may lie; elsewhere they are refused.
        resolver: Gives a host's addresses.
        is_limited: False lifts the limit of connections per host and asks for no robots.txt;
            for benchmarks of this very class.
        deadline_s: For one exchange.
        attempts: Requests for one address, the first included.
        backoff_s: Pause before the second attempt; doubles, with as much again by chance.
        verify: Certificates to trust: those of certifi when True, else a file's.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        folders: Iterable[Path] = (),
        resolver: Callable[[str, int], list[str]] = resolve,
        is_limited: bool = True,
        deadline_s: float = DEADLINE_S,
        attempts: int = ATTEMPTS,
        backoff_s: float = 0.5,
        verify: bool | str = True,
    ) -> None:
        self._folders = tuple(folder.resolve() for folder in folders)
        self._is_limited = is_limited
        self._stop: Event | None = None
        self._attempts = attempts
        self._backoff = wait_exponential(backoff_s, max=20) + wait_random(0, backoff_s)
        self._politeness = Politeness(settings.crawl_delay, is_limited=is_limited)
        self._robots = Robots()
        self._exchanges = Exchanges(
            settings.crawl_allow,
            contact=settings.crawl_contact or CONTACT,
            deadline_s=deadline_s,
            resolver=resolver,
            verify=verify,
        )

    def until(self, stop: Event) -> Fetcher:
        """The same fetcher, hosts' turns and all, whose calls end at once when `stop` is set."""
        other = copy.copy(self)
        other._stop = stop  # noqa: SLF001 - its own copy
        return other

    def close(self) -> None:
        """Close idle connections."""
        self._exchanges.close()

    def get_image(self, url: str, *, max_bytes: int = MAX_IMAGE_BYTES) -> bytes:
        """The bytes at a picture's address, whatever they are.

        Raises:
            FetchError: It gave none, or more than `max_bytes`.
            StoppedError: It was told to stop.
        """
        memory = Memory()
        self.download(url, memory, max_bytes=max_bytes)
        return memory.content

    def download(self, url: str, into: Sink, *, max_bytes: int = MAX_IMAGE_BYTES) -> None:
        """Put the bytes at a picture's address into a sink while they come.

        Raises:
            FetchError: It gave none, or more than `max_bytes`; what the sink took is void.
            StoppedError: It was told to stop.
        """
        if url.lower().startswith("file:"):
            data = self._read_file(url, max_bytes)
            into.begin(len(data))
            into.write(data)
            return
        headers = {"Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}
        self._fetch(url, headers=headers, max_bytes=max_bytes, sink=into)

    def get_text(self, url: str, params: Mapping[str, str | int] | None = None) -> str:
        """A page; robots.txt is obeyed.

        Raises:
            FetchError: There is none.
            StoppedError: It was told to stop.
        """
        headers = {"Accept": "text/html,*/*;q=0.5"}
        return self._fetch(_with(url, params), headers=headers, max_bytes=MAX_TEXT_BYTES).text()

    def ask_api(self, url: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """An API's answer; one call at a time to each host, and robots.txt is not for it.

        Raises:
            FetchError: There is none.
            StoppedError: It was told to stop.
        """
        return self._fetch(
            _with(url, params),
            headers={"Accept": "application/json"},
            max_bytes=MAX_TEXT_BYTES,
            lane="api",
        )

    def get_json(self, url: str, params: Mapping[str, str | int] | None = None) -> Any:  # noqa: ANN401 - JSON
        """What an API answers, read as JSON; otherwise as `ask_api`."""
        return self.ask_api(url, params).json()

    def hold(self, url: str, seconds: float) -> None:
        """Let nobody ask the address's host for so long."""
        self._politeness.hold(_host(url), seconds)

    def _fetch(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        max_bytes: int,
        lane: Lane = "media",
        sink: Sink | None = None,
    ) -> Answer:
        def follow() -> Answer:
            return self._follow(url, headers, max_bytes, lane, sink, asks_robots=lane == "media")

        return self._again(follow)

    def _again(self, action: Callable[[], Answer]) -> Answer:
        """Do it until it succeeds, as often as is reasonable."""
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._backoff,
            retry=retry_if_exception(
                lambda error: isinstance(error, FetchError) and error.is_transient
            ),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(action)

    def _sleep(self, seconds: float) -> None:
        if self._stop is None:
            time.sleep(seconds)
        elif self._stop.wait(seconds):
            raise StoppedError

    def _follow(
        self,
        url: str,
        headers: Mapping[str, str],
        max_bytes: int,
        lane: Lane,
        sink: Sink | None = None,
        *,
        asks_robots: bool,
    ) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            host = _host(url)
            if asks_robots and self._is_limited:
                self._obey_robots(url)
            with self._politeness.turn(host, lane=lane, stop=self._stop) as begin:
                answer = self._asked(url, headers, max_bytes, begin, sink)
            if isinstance(answer, Answer):
                return answer
            url = answer
        raise FetchError(
            f"{urlsplit(url).hostname} redirects in circles.",
            key="fetch_redirects",
            host=urlsplit(url).hostname or url,
        )

    def _obey_robots(self, url: str) -> None:
        def read(address: str) -> bytes:
            return self._again(
                lambda: self._follow(
                    address, {"Accept": "text/plain"}, 2 * MAX_BYTES, "media", asks_robots=False
                )
            ).content

        delay_s = self._robots.delay_s(url, read, self._stop)
        if delay_s:
            self._politeness.slow_down(_host(url), delay_s)

    def _asked(
        self,
        url: str,
        headers: Mapping[str, str],
        max_bytes: int,
        begin: Callable[[], None],
        sink: Sink | None,
    ) -> Answer | str:
        """One request; what it says of waiting is heeded for its whole host."""
        try:
            return self._exchanges.get(
                url, headers, max_bytes=max_bytes, stop=self._stop, on_sent=begin, sink=sink
            )
        except FetchError as error:
            if error.retry_after_s is not None:
                self._politeness.hold(_host(url), min(error.retry_after_s, MAX_RETRY_AFTER_S))
                if error.retry_after_s > MAX_RETRY_AFTER_S:
                    error.is_transient = False
            raise

    def _read_file(self, url: str, max_bytes: int) -> bytes:
        path = Path(url2pathname(urlsplit(url).path)).resolve()
        if not any(path.is_relative_to(folder) for folder in self._folders):
            raise AddressError(str(path), "it lies outside the folder that is read")
        try:
            if path.stat().st_size > max_bytes:
                raise too_large(path.name, max_bytes)
            return path.read_bytes()
        except OSError as error:
            raise FetchError(
                f"{path.name} cannot be read: {error.strerror}.",
                key="fetch_missing",
                host=path.name,
            ) from error


def _with(url: str, params: Mapping[str, str | int] | None) -> str:
    return requests.Request("GET", url, params=dict(params or {})).prepare().url or url


def _host(url: str) -> str:
    """What takes turns: a name, and the port where it is no usual one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressError(url, "this is no web address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressError(parts.hostname or url, "this is no web address")
    return parts.hostname if port in {None, 80, 443} else f"{parts.hostname}:{port}"
