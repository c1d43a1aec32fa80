"""A collection of pictures on loopback that answers like Openverse, for crawls by the bot."""

from __future__ import annotations

import io
import json
import random
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np
from PIL import Image

from tests.engine.crawl.hosts import Host, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


def picture(name: str) -> bytes:
    """A picture unlike all others, the same for the same name."""
    coarse = np.random.default_rng(random.Random(name).randrange(2**32)).integers(
        0, 256, (12, 16, 3), dtype=np.uint8
    )
    written = io.BytesIO()
    Image.fromarray(coarse).resize((160, 120), Image.Resampling.NEAREST).save(written, "PNG")
    return written.getvalue()


@dataclass
class Collection:
    """Two hosts: one that is searched, one that has the pictures.

    Attributes:
        topics: What there is for each search, as addresses.
    """

    api: Host
    media: Host
    topics: dict[str, list[str]] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """For `load_settings`."""
        return {
            "openverse_url": self.api.url,
            "crawl_sources": ("openverse",),
            "crawl_allow": (self.api.pair, self.media.pair),
            "crawl_delay": 0.0,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The same for a process of its own."""
        return {
            "OPENVERSE_URL": self.api.url,
            "CRAWL_SOURCES": "openverse",
            "CRAWL_ALLOW": f"{self.api.pair},{self.media.pair}",
            "CRAWL_DELAY": "0",
        }

    def add(self, topic: str, count: int) -> None:
        """Let a topic have so many good pictures more."""
        urls = self.topics.setdefault(topic, [])
        for number in range(len(urls), len(urls) + count):
            path = f"/{len(self.media.pages)}/{number}.png"
            self.media.pages[path] = (200, {"Content-Type": "image/png"}, picture(topic + path))
            urls.append(f"{self.media.url}{path}")

    def fetched(self) -> list[str]:
        """Paths of pictures that were asked for, in order."""
        return [request.path for request in self.media.without_robots()]

    def answer(self, handler: Any) -> None:
        """A page of what a search finds."""
        query = parse_qs(handler.path.partition("?")[2])
        urls = self.topics.get(query["q"][0], [])
        size, page = int(query["page_size"][0]), int(query["page"][0])
        results = [
            {
                "id": url,
                "url": url,
                "title": f"A picture, {number}",
                "creator": "Ann",
                "license": "by",
                "license_version": "4.0",
                "license_url": "https://creativecommons.org/licenses/by/4.0/",
                "foreign_landing_url": f"https://example.org/{number}",
            }
            for number, url in enumerate(urls)
        ]
        body = {
            "page_count": -(-len(urls) // size),
            "results": results[(page - 1) * size : page * size],
        }
        handler.answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())


@contextmanager
def collection() -> Iterator[Collection]:
    """Serve it until the block ends."""
    with ExitStack() as stack:
        made = Collection(stack.enter_context(serving()), stack.enter_context(serving()))
        made.api.pages["/v1/images/"] = made.answer
        yield made
