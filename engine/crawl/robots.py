"""robots.txt: read once per site and obeyed; where it cannot be read, nothing is asked for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from protego import Protego

from engine.crawl.errors import FetchError, RobotsError, StoppedError
from engine.crawl.politeness import STOP_POLL_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

AGENT = "Lookalike"
"""The name that rules are looked up by: the User-Agent's first word."""
KEEP_S = 3600.0
KEEP_FAILURE_S = 300.0
MAX_BYTES = 500 * 1024
"""What RFC 9309 (section 2.5) wants to be read at least; what comes after is not looked at."""
MAX_CRAWL_DELAY_S = 60.0
"""A site that wants longer gaps is not crawled: it would take days."""


@dataclass(slots=True)
class _Site:
    lock: threading.Lock = field(default_factory=threading.Lock)
    until: float = 0.0
    rules: Protego | None = None
    refusal: str | None = None
    delay_s: float = 0.0


class Robots:
    """The rules of the sites met so far. Safe to use from several threads.

    404 and 410 mean that there are no rules. Any other failure means that they cannot be read, and
    nothing there may be asked (stricter than RFC 9309, which lets a 401 or 403 pass).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sites: dict[str, _Site] = {}

    def delay_s(self, url: str, read: Callable[[str], bytes], stop: Event | None) -> float:
        """Judge an address; gives the gap between requests that its site asks for, 0 for none.

        Args:
            url: To be judged.
            read: Gives the bytes at an address; asked for the site's robots.txt when not known.
            stop: Ends the waiting for another thread's reading.

        Raises:
            RobotsError: It must not be asked for.
            StoppedError: `stop` was set.
        """
        parts = urlsplit(url)
        site = self._site(f"{parts.scheme}://{parts.netloc}")
        while not site.lock.acquire(timeout=STOP_POLL_S):
            if stop is not None and stop.is_set():
                raise StoppedError
        try:
            if time.monotonic() >= site.until:
                self._learn(site, f"{parts.scheme}://{parts.netloc}/robots.txt", read)
        finally:
            site.lock.release()
        host = parts.hostname or url
        if site.refusal is not None:
            raise RobotsError(host, site.refusal)
        if site.rules is not None and not site.rules.can_fetch(url, AGENT):
            raise RobotsError(host, "its robots.txt forbids it")
        return site.delay_s

    def _learn(self, site: _Site, address: str, read: Callable[[str], bytes]) -> None:
        site.rules, site.refusal, site.delay_s = None, None, 0.0
        keep_s = KEEP_S
        try:
            text = read(address)[:MAX_BYTES].decode("utf-8-sig", errors="replace")
        except FetchError as error:
            if error.key == "fetch_address":
                raise
            if error.key != "fetch_missing":
                site.refusal = f"its robots.txt cannot be read ({error})"
                keep_s = KEEP_FAILURE_S
        else:
            site.rules = Protego.parse(text)
            site.delay_s = float(site.rules.crawl_delay(AGENT) or 0.0)
            if site.delay_s > MAX_CRAWL_DELAY_S:
                site.refusal = f"it wants {site.delay_s:.0f} seconds between two requests"
        site.until = time.monotonic() + keep_s

    def _site(self, origin: str) -> _Site:
        with self._lock:
            return self._sites.setdefault(origin, _Site())
