"""A web of loopback hosts with every trap a crawler meets, and the truth about it.

    with trap_site(shared_data / "photos") as site:
        settings = load_settings(data_dir=…, **site.settings)  # a process: site.environment
        …crawl any topic for `site.wanted` pictures…
        assert …counts == site.truth

One host answers like Openverse; the pictures it names lie on others. Of every address the site says
what must become of it. A crawl takes little more than the fetcher's deadline for one download
(30 s, which the endless slow body uses up).
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tests.engine.crawl import trappictures
from tests.engine.crawl.hosts import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.crawl.hosts import Host

ADDED = "added"
GOOD = 18
"""Plain good photos, beside the dressed ones."""
WANTED = 50
"""Pictures to ask for: more than there are, so that every address is come upon."""
CRAWL_DELAY_S = 0.15
"""What the slow host's robots.txt asks for."""
RETRY_AFTER_S = 2
RULES = b"User-agent: *\nDisallow: /*/kept-out/\nDisallow: /*.private.jpg$\nDisallow: /*?session=\n"
MARK = "lookalike-trap-escaped"
"""Stands in every name that tries to leave its folder."""


@dataclass(frozen=True)
class Trap:
    """An address that the source names, and what must become of it.

    `outcome` is "added", a reason of `engine.crawl.cleaning.Reason`, or a key of a `FetchError`.
    """

    url: str
    outcome: str
    title: str


@dataclass(frozen=True)
class Truth:
    """What a crawl of the whole site must count."""

    found: int
    added: int
    refused: dict[str, int]
    failed: dict[str, int]


@dataclass
class TrapSite:
    """The hosts and the truth.

    Attributes:
        traps: All addresses, in the order in which they are named.
        api: The host that answers like Openverse.
        media, slow, busy, shy: Hosts of pictures: with robots rules; with a Crawl-delay; one that
            answers 429; one whose robots.txt cannot be read.
        private: A host that may not be reached; nobody must ever ask it.
        never: Paths on `media` that a licence forbids to ask for.
        question: A photo that one of the added pictures resembles, and `answer_page` that
            picture's landing page.
    """

    api: Host
    media: Host
    slow: Host
    busy: Host
    shy: Host
    private: Host
    traps: list[Trap] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    question: bytes = b""
    answer_page: str = ""
    wanted: int = WANTED
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def allowed(self) -> tuple[Host, ...]:
        """The hosts that CRAWL_ALLOW names."""
        return (self.api, self.media, self.slow, self.busy, self.shy)

    @property
    def settings(self) -> dict[str, object]:
        """For `load_settings`."""
        return {
            "openverse_url": self.api.url,
            "crawl_sources": ("openverse",),
            "crawl_allow": tuple(host.pair for host in self.allowed),
            "crawl_delay": 0.0,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The same for a process of its own."""
        return {
            "OPENVERSE_URL": self.api.url,
            "CRAWL_SOURCES": "openverse",
            "CRAWL_ALLOW": ",".join(host.pair for host in self.allowed),
            "CRAWL_DELAY": "0",
        }

    def trespasses(self) -> list[str]:
        """Paths that were asked for and must not have been; empty when all is well."""
        kept_out = [trap.url for trap in self.traps if trap.outcome == "fetch_robots"]
        asked = [f"{self.private.url}{request.path}" for request in self.private.requests]
        for host in (self.media, self.shy):
            for request in host.without_robots():
                query = f"?{request.query}" if request.query else ""
                url = f"{host.url}{request.path}{query}"
                if url in kept_out or request.path in self.never:
                    asked.append(url)
        return asked

    @property
    def truth(self) -> Truth:
        """The counts."""
        outcomes = Counter(trap.outcome for trap in self.traps)
        added = outcomes.pop(ADDED)
        failed = {key: n for key, n in outcomes.items() if key.startswith("fetch_")}
        refused = {key: n for key, n in outcomes.items() if key not in failed}
        return Truth(len(self.traps), added, refused, failed)


@contextmanager
def trap_site(photos: Path, *, is_heavy: bool = True) -> Iterator[TrapSite]:
    """Serve the site until the block ends.

    Args:
        photos: Folder of real photos, with `train` in it.
        is_heavy: With pictures of 39 million pixels too, which take a second each to decode.
    """
    with ExitStack() as stack:
        site = TrapSite(*(stack.enter_context(serving()) for _ in range(6)))
        stack.callback(site.closed.set)
        builder = _Builder(site, trappictures.Photos(photos / "train"))
        builder.good()
        builder.dressed()
        builder.repeated()
        builder.flawed(is_heavy=is_heavy)
        builder.failing()
        builder.patient()
        builder.leading_astray()
        builder.listed()
        yield site


class _Builder:
    """Puts pages on the hosts, and the truth about them into the site."""

    def __init__(self, site: TrapSite, photos: trappictures.Photos) -> None:
        self._site = site
        self._photos = photos
        self._results: list[object] = []
        site.media.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, RULES)
        site.slow.pages["/robots.txt"] = (
            200,
            {},
            f"User-agent: *\nCrawl-delay: {CRAWL_DELAY_S}\n".encode(),
        )
        site.shy.pages["/robots.txt"] = (403, {}, b"")

    def good(self) -> None:
        """Plain photos, on two hosts in turn, one of them behind a redirect to the other host."""
        site = self._site
        for number in range(GOOD):
            host = site.slow if number % 3 == 2 else site.media
            data = self._photos.next()
            self._serve(host, f"/photos/{number}.jpg", data, ADDED)
            if number == 4:
                site.question = trappictures.weaker(data)
                site.answer_page = self._page(site.traps[-1].url)
        site.slow.pages["/moved.jpg"] = _picture(self._photos.next())
        site.media.pages["/old.jpg"] = (302, {"Location": f"{site.slow.url}/moved.jpg"}, b"")
        self._name(f"{site.media.url}/old.jpg", ADDED)
        # Gone from its collection, and kept as a smaller copy.
        site.media.pages["/thumb/1/"] = _picture(self._photos.next())
        self._name(f"{site.media.url}/gone.jpg", ADDED, thumbnail=f"{site.media.url}/thumb/1/")

    def dressed(self) -> None:
        for name, (kind, data) in trappictures.dressed(self._photos).items():
            self._serve(self._site.media, f"/dressed/{name}", data, ADDED, kind=kind)

    def repeated(self) -> None:
        """What the library has by now, again: the same bytes, the same look, the same address."""
        media = self._site.media
        first = media.pages["/photos/0.jpg"][2]
        self._serve(self._site.slow, "/again/0.jpg", first, "duplicate")
        self._serve(media, "/again/other-name.png", media.pages["/photos/1.jpg"][2], "duplicate")
        for number in (0, 3):
            look = trappictures.weaker(media.pages[f"/photos/{number}.jpg"][2])
            self._serve(media, f"/again/small-{number}.jpg", look, "near_duplicate")
        self._results.append(self._results[0])

    def flawed(self, *, is_heavy: bool) -> None:
        for name, (kind, data, reason) in trappictures.flawed(self._photos).items():
            self._serve(self._site.media, f"/flawed/{name}", data, reason, kind=kind)
        for shade in (40, 90, 140, 190) if is_heavy else ():
            data = trappictures.heavy(shade)
            self._serve(self._site.media, f"/flawed/heavy-{shade}.png", data, "uniform")

    def failing(self) -> None:
        """Answers that are no pictures, and hosts that stop in the middle."""
        media, closed = self._site.media, self._site.closed
        for status, key in (
            (403, "fetch_forbidden"),
            (401, "fetch_forbidden"),
            (404, "fetch_missing"),
            (410, "fetch_missing"),
            (204, "fetch_status"),
            (501, "fetch_server"),
        ):
            self._answer(media, f"/status/{status}.jpg", (status, {}, b""), key)
        self._answer(media, "/status/always-503.jpg", (503, {}, b""), "fetch_server")
        recovered = [(500, {}, b""), (502, {}, b""), _picture(self._photos.next())]
        self._answer(media, "/status/500-then-well.jpg", recovered, ADDED)
        reset = [_reset, _picture(self._photos.next())]
        self._answer(media, "/status/reset-then-well.jpg", reset, ADDED)
        gzipped = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
        bomb = (200, gzipped, trappictures.squeezed(300))
        self._answer(media, "/endless/bomb.png", bomb, "fetch_too_large")
        self._answer(media, "/endless/fast.jpg", _endless(closed, 0), "fetch_too_large")
        self._answer(media, "/endless/slow.jpg", _endless(closed, 0.05), "fetch_timeout")
        self._answer(media, "/endless/declared.jpg", _declared, "fetch_too_large")

    def patient(self) -> None:
        """Robots and 429: what is forbidden, and who wants to be left alone for a while."""
        media, busy, shy = self._site.media, self._site.busy, self._site.shy
        for path in ("/a/kept-out/1.jpg", "/b/1.private.jpg", "/b/2.jpg?session=1"):
            self._serve(media, path, self._photos.next(), "fetch_robots")
        self._serve(shy, "/1.jpg", self._photos.next(), "fetch_robots")
        well = _picture(self._photos.next())
        wait = (429, {"Retry-After": str(RETRY_AFTER_S)}, b"")
        self._answer(busy, "/busy.jpg", [wait, well], ADDED)
        for number in range(2):
            self._serve(busy, f"/beside-{number}.jpg", self._photos.next(), ADDED)

    def leading_astray(self) -> None:
        """Ways into private networks, circles, and names that want to leave their folder."""
        site, media = self._site, self._site.media
        site.private.pages["/treasure.jpg"] = _picture(self._photos.next())
        for number, target in enumerate(
            (
                f"{site.private.url}/treasure.jpg",
                f"http://localhost:{site.private.port}/treasure.jpg",
                f"http://[::ffff:127.0.0.1]:{site.private.port}/treasure.jpg",
                "http://10.0.0.1/treasure.jpg",
                "http://169.254.169.254/latest/meta-data/",
                "http://[::1]/treasure.jpg",
                "file:///etc/passwd",
            )
        ):
            page = (302, {"Location": target}, b"")
            self._answer(media, f"/astray/{number}.jpg", page, "fetch_address")
        for url in (f"{site.private.url}/treasure.jpg", "http://192.168.0.1/treasure.jpg"):
            self._name(url, "fetch_address")
        circle = (302, {"Location": "/circle.jpg"}, b"")
        self._answer(media, "/circle.jpg", circle, "fetch_redirects")
        for path, other in (("/ping.jpg", "/pong.jpg"), ("/pong.jpg", "/ping.jpg")):
            media.pages[path] = (301, {"Location": f"{media.url}{other}"}, b"")
        self._name(f"{media.url}/ping.jpg", "fetch_redirects")
        # What the source writes, and the path that is asked for in the end.
        for named, path in (
            (f"/..%2f..%2f..%2ftmp%2f{MARK}.jpg", f"/..%2F..%2F..%2Ftmp%2F{MARK}.jpg"),
            (f"/%2e%2e%5c%2e%2e%5c{MARK}.jpg", f"/..%5C..%5C{MARK}.jpg"),
            (f"/a/../../../{MARK}-1.jpg", f"/{MARK}-1.jpg"),
            (f"/names/..%00{MARK}.jpg", f"/names/..%00{MARK}.jpg"),
        ):
            attached = {"Content-Disposition": f'attachment; filename="../../../{MARK}.jpg"'}
            media.pages[path] = (200, attached, self._photos.next())
            self._name(f"{media.url}{named}", ADDED, title=f"../../../../../tmp/{MARK}")

    def listed(self) -> None:
        """The source's answers: page by page, with results among them that must not be taken."""
        media = self._site.media
        for name, facts in (
            ("nc", {"license": "by-nc", "license_version": "4.0"}),
            ("nd", {"license": "by-nd", "license_version": "4.0"}),
            ("none", {"license": None}),
            ("unknown", {"license": "all rights reserved"}),
        ):
            url = f"{media.url}/unlicensed/{name}.jpg"
            media.pages[f"/unlicensed/{name}.jpg"] = _picture(self._photos.next())
            self._site.never.append(f"/unlicensed/{name}.jpg")
            self._results.insert(3, _result(url, name) | facts)
        self._results[5:5] = [None, [], {"url": None}, {"url": "javascript:alert(1)"}]
        self._results[9:9] = [_result("file:///etc/passwd", "x"), _result("http://[bad/", "y")]
        self._site.api.pages["/v1/images/"] = _paged(self._results)

    def _serve(self, host: Host, path: str, data: bytes, outcome: str, kind: str = "image/jpeg"):
        self._answer(host, path, (200, {"Content-Type": kind}, data), outcome)

    def _answer(self, host: Host, path: str, page: object, outcome: str):
        host.pages[path.partition("?")[0]] = page
        self._name(f"{host.url}{path}", outcome)

    def _name(self, url: str, outcome: str, *, title: str = "", thumbnail: str | None = None):
        title = title or f"{outcome} {len(self._site.traps)}"
        self._site.traps.append(Trap(url, outcome, title))
        facts = {"foreign_landing_url": self._page(url), "thumbnail": thumbnail}
        self._results.append(_result(url, title) | facts)

    def _page(self, url: str) -> str:
        return f"{url}#page"


def _result(url: str, title: str) -> dict[str, object]:
    return {
        "title": title,
        "url": url,
        "foreign_landing_url": None,
        "creator": "Ānne O’Nymous <b>",
        "license": "by",
        "license_version": "4.0",
        "license_url": "https://creativecommons.org/licenses/by/4.0/",
        "width": 256,
        "height": 256,
    }


def _paged(results: list[object]):
    """Answers as Openverse does, `page_size` results a page."""

    def answer(handler) -> None:
        query = parse_qs(handler.path.partition("?")[2])
        size, page = (int(query[name][0]) for name in ("page_size", "page"))
        body = {
            "result_count": len(results),
            "page_count": -(-len(results) // size),
            "page_size": size,
            "page": page,
            "results": results[(page - 1) * size : page * size],
        }
        headers = {"Content-Type": "application/json"}
        handler.answer(200, headers, json.dumps(body).encode())

    return answer


def _picture(data: bytes) -> tuple[int, dict[str, str], bytes]:
    return (200, {"Content-Type": "image/jpeg"}, data)


def _endless(closed: threading.Event, pause_s: float):
    """A body that never ends, until the other side or the site does."""

    def answer(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "image/jpeg")
        handler.end_headers()
        handler.close_connection = True
        while not closed.is_set():
            handler.wfile.write(b"\xff\xd8" if pause_s else bytes(65536))
            time.sleep(pause_s)

    return answer


def _declared(handler) -> None:
    """Says that it is larger than anything, and sends nothing."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**15))
    handler.request_now.ended = time.monotonic()  # nobody stays beyond the headers
    handler.end_headers()
    handler.close_connection = True


def _reset(handler) -> None:
    """Half an answer, and a connection that breaks."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.request_now.ended = time.monotonic()
    handler.wfile.write(b"\xff\xd8 half of it")
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)
