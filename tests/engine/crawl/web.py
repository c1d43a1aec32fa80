"""A stand-in for the web: pages in memory, and a note of every answer given."""

from __future__ import annotations

import threading
import time
from collections import Counter

from engine.crawl.candidate import Candidate
from engine.crawl.errors import FetchError


def failure(key):
    return FetchError(f"failed: {key}", key=key)


def candidate(url, **facts):
    return Candidate(url, **{"source": "test", "landing_page": f"{url}/page"} | facts)


class Endless:
    """A fetcher that does not listen when it is told to stop."""

    def until(self, stop):
        return self

    def download(self, url, into):
        data = self.get_image(url)
        into.begin(len(data))
        into.write(data)


class Web(Endless):
    """Serves pages by address: bytes, or an error to raise."""

    def __init__(self, pages, delay_s=0.0):
        self.pages = pages
        self.delay_s = delay_s
        self.served = Counter()
        self.failed = Counter()
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()

    def get_image(self, url):
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            time.sleep(self.delay_s)
            page = self.pages.get(url, failure("fetch_missing"))
            with self._lock:
                (self.failed if isinstance(page, Exception) else self.served)[url] += 1
            if isinstance(page, Exception):
                raise page
            return page
        finally:
            with self._lock:
                self._at_once -= 1


class Listed:
    """A source that knows a list of addresses, and may fail after some of them."""

    def __init__(self, urls, name="listed", fails_after=None):
        self.urls, self.name, self.fails_after = list(urls), name, fails_after
        self.asked = 0

    def candidates(self, topic, fetcher):
        for number, url in enumerate(self.urls):
            if number == self.fails_after:
                raise failure("source_down")
            self.asked += 1
            yield candidate(url, source=self.name)
        if self.fails_after == len(self.urls):
            raise failure("source_down")
