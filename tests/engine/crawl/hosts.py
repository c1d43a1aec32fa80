"""Web servers on loopback that remember who asked when."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

NO_RULES = (404, {}, b"")


@dataclass
class Request:
    path: str
    query: str
    headers: dict[str, str]
    started: float
    ended: float = 0.0


@dataclass
class Host:
    """A host. A page is (status, headers, body), a function that answers, or a list of them."""

    pages: dict = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    latency_s: float = 0.0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pair(self) -> str:
        return f"127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def without_robots(self) -> list[Request]:
        return [request for request in self.requests if request.path != "/robots.txt"]

    def most_at_once(self, *, apart_from: str | None = None) -> int:
        """Requests under way together; those below a path can be left out: a server that is still
        writing learns late that nobody listens any more."""
        counted = [each for each in self.requests if not each.path.startswith(apart_from or "\0")]
        ends = [(request.started, 1) for request in counted]
        ends += [(request.ended, -1) for request in counted]
        most = now = 0
        for _, step in sorted(ends):
            now += step
            most = max(most, now)
        return most

    def gaps(self) -> list[float]:
        starts = sorted(request.started for request in self.requests)
        return [after - before for before, after in pairwise(starts)]

    def mean_gap(self) -> float:
        """Between the starts of requests; on a busy machine one is noted late and the next seems
        to follow at once, which the mean does not see."""
        starts = [request.started for request in self.requests]
        return (max(starts) - min(starts)) / (len(starts) - 1)


@contextmanager
def serving(wrap=None):
    web = Host()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path, _, query = self.path.partition("?")
            request = Request(path, query, dict(self.headers), time.monotonic())
            with lock:
                web.requests.append(request)
            self.request_now = request
            time.sleep(web.latency_s)
            try:
                page = web.pages.get(path, NO_RULES)
                if isinstance(page, list):
                    page = page.pop(0) if len(page) > 1 else page[0]
                if callable(page):
                    page(self)
                else:
                    self.answer(*page)
            except OSError:
                self.close_connection = True
            finally:
                request.ended = request.ended or time.monotonic()

        def answer(self, status, headers, body):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            # Before and not after: whoever has read what it wants (of a refusal, the headers) may
            # ask again at once, while this thread still waits for its turn to go on.
            self.request_now.ended = time.monotonic()
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

        def handle_error(self, *args):
            pass

        def get_request(self):
            connection, address = super().get_request()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection, address

    server = Server(("127.0.0.1", 0), Handler)
    if wrap is not None:
        server.socket = wrap(server.socket)
    web.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
