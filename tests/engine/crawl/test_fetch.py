"""Fetching over real sockets: what is refused, bounded, repeated and given up."""

from __future__ import annotations

import gzip
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from importlib.metadata import version

import pytest

from engine.config import load_settings
from engine.crawl.errors import AddressError, FetchError, RobotsError, StoppedError
from engine.crawl.fetch import Fetcher
from tests.engine.crawl.hosts import serving

PICTURE = (200, {"Content-Type": "image/jpeg"}, b"picture")


@pytest.fixture
def host():
    with serving() as web:
        web.pages["/a.jpg"] = PICTURE
        yield web


@pytest.fixture
def other():
    with serving() as web:
        web.pages["/a.jpg"] = PICTURE
        yield web


@pytest.fixture
def fetcher_for():
    """Makes fetchers that may reach these hosts, with short pauses between attempts."""
    made = []

    def make(*hosts, delay=0.0, contact=None, **options):
        allow = tuple(each if isinstance(each, str) else each.pair for each in hosts)
        settings = load_settings(crawl_delay=delay, crawl_allow=allow, crawl_contact=contact)
        made.append(Fetcher(settings, **{"backoff_s": 0.02} | options))
        return made[-1]

    yield make
    for fetcher in made:
        fetcher.close()


def key_of(action, *args):
    with pytest.raises(FetchError) as caught:
        action(*args)
    return caught.value.key


def test_a_picture_comes_as_it_is_and_the_server_learns_who_asks(host, fetcher_for):
    fetcher = fetcher_for(host, contact="mail@example.org")
    assert fetcher.get_image(f"{host.url}/a.jpg") == b"picture"
    headers = host.asked("/a.jpg")[0].headers
    assert headers["User-Agent"] == f"Lookalike/{version('lookalike')} (mail@example.org)"
    assert headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "key", "requests"),
    [
        (403, "fetch_forbidden", 1),
        (404, "fetch_missing", 1),
        (410, "fetch_missing", 1),
        (418, "fetch_status", 1),
        (204, "fetch_status", 1),
        (429, "fetch_busy", 3),
        (500, "fetch_server", 3),
        (501, "fetch_server", 1),
        (503, "fetch_server", 3),
    ],
)
def test_what_may_pass_is_asked_again_and_nothing_else(host, fetcher_for, status, key, requests):
    host.pages["/x"] = (status, {}, b"")
    fetcher = fetcher_for(host, attempts=3)
    assert key_of(fetcher.get_image, f"{host.url}/x") == key
    assert len(host.asked("/x")) == requests


def test_a_server_that_recovers_gives_the_picture(host, fetcher_for):
    host.pages["/x"] = [(500, {}, b""), (503, {}, b""), PICTURE]
    assert fetcher_for(host).get_image(f"{host.url}/x") == b"picture"


def test_connections_that_break_are_tried_again(host, fetcher_for):
    def breaks(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    host.pages["/x"] = [breaks, PICTURE]
    assert fetcher_for(host).get_image(f"{host.url}/x") == b"picture"
    host.pages["/x"] = breaks
    assert key_of(fetcher_for(host, attempts=2).get_image, f"{host.url}/x") == "fetch_connection"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_holds_for_the_whole_host(host, fetcher_for, form):
    after = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
    host.pages["/busy"] = [(429, {"Retry-After": after}, b""), PICTURE]
    fetcher = fetcher_for(host)
    fetcher.get_image(f"{host.url}/a.jpg")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fetcher.get_image, f"{host.url}/busy")
        while not host.asked("/busy"):
            time.sleep(0.005)
        time.sleep(0.1)
        second = pool.submit(fetcher.get_image, f"{host.url}/a.jpg")
        assert first.result() == second.result() == b"picture"
    busy_at = host.asked("/busy")[0].started
    later = [request.started - busy_at for request in host.requests if request.started > busy_at]
    assert len(later) == 2
    assert min(later) > 0.9


def test_who_wants_too_long_a_wait_is_given_up(host, fetcher_for):
    host.pages["/x"] = (429, {"Retry-After": "86400"}, b"")
    started = time.monotonic()
    assert key_of(fetcher_for(host).get_image, f"{host.url}/x") == "fetch_busy"
    assert time.monotonic() - started < 2
    assert len(host.asked("/x")) == 1


def test_decoded_bytes_are_counted(host, fetcher_for):
    bomb = gzip.compress(bytes(50 * 2**20))
    host.pages["/bomb"] = (200, {"Content-Encoding": "gzip"}, bomb)
    host.pages["/honest"] = (200, {}, bytes(20_000))
    fetcher = fetcher_for(host)
    assert len(bomb) < 100_000
    assert key_of(fetcher.get_image, f"{host.url}/bomb") == "fetch_too_large"
    assert len(fetcher.get_image(f"{host.url}/honest", max_bytes=20_000)) == 20_000
    with pytest.raises(FetchError, match="more than 19999 bytes"):
        fetcher.get_image(f"{host.url}/honest", max_bytes=19_999)
    assert len(host.asked("/bomb")) == 1


def test_a_body_without_end_is_cut_at_the_limit(host, fetcher_for):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(65536))

    host.pages["/x"] = endless
    fetcher = fetcher_for(host)
    with pytest.raises(FetchError) as caught:
        fetcher.get_image(f"{host.url}/x", max_bytes=2**20)
    assert caught.value.key == "fetch_too_large"


def drip(handler, *, in_headers):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    handler.wfile.write(b"X-Slow: " if in_headers else b"Content-Length: 1000\r\n\r\n")
    for _ in range(200):
        handler.wfile.write(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("in_headers", [True, False])
def test_the_deadline_is_for_the_whole_download(host, fetcher_for, in_headers):
    host.pages["/x"] = lambda handler: drip(handler, in_headers=in_headers)
    fetcher = fetcher_for(host, deadline_s=0.5)
    fetcher.ask_api(f"{host.url}/a.jpg")
    started = time.monotonic()
    assert key_of(fetcher.get_image, f"{host.url}/x") == "fetch_timeout"
    assert 0.4 < time.monotonic() - started < 1.5
    assert len(host.asked("/x")) == 1


def test_the_deadline_also_cuts_a_kept_connection(host, fetcher_for):
    host.pages["/x"] = lambda handler: drip(handler, in_headers=False)
    fetcher = fetcher_for(host, deadline_s=0.5, attempts=1)
    fetcher.get_image(f"{host.url}/a.jpg")
    assert key_of(fetcher.get_image, f"{host.url}/x") == "fetch_timeout"


def test_stopping_ends_downloads_and_waits_at_once(host, fetcher_for):
    host.pages["/x"] = lambda handler: drip(handler, in_headers=False)
    host.pages["/busy"] = (429, {"Retry-After": "60"}, b"")
    stop = threading.Event()
    fetcher = fetcher_for(host)
    stoppable = fetcher.until(stop)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(stoppable.get_image, f"{host.url}{path}") for path in ("/x", "/x")]
        while len(host.asked("/x")) < 2:
            time.sleep(0.01)
        waiting += [pool.submit(stoppable.get_image, f"{host.url}/busy") for _ in range(2)]
        time.sleep(0.2)
        stop.set()
        started = time.monotonic()
        for each in waiting:
            with pytest.raises(StoppedError):
                each.result()
        assert time.monotonic() - started < 0.5
    assert fetcher.get_image(f"{host.url}/a.jpg") == b"picture"


def test_redirects_are_followed_from_host_to_host(host, other, fetcher_for):
    host.pages["/1"] = (302, {"Location": "/2"}, b"")
    host.pages["/2"] = (301, {"Location": f"{other.url}/a.jpg"}, b"")
    assert fetcher_for(host, other).get_image(f"{host.url}/1") == b"picture"


def test_the_body_of_a_redirect_is_not_read(host, fetcher_for):
    def endless(handler):
        handler.send_response(302)
        handler.send_header("Location", "/a.jpg")
        handler.end_headers()
        for sent in range(1, 200):
            handler.wfile.write(bytes(2**20))
            host.pages["sent"] = sent

    host.pages["/x"] = endless
    assert fetcher_for(host).get_image(f"{host.url}/x") == b"picture"
    assert host.pages.get("sent", 0) < 20


def test_redirects_in_circles_end(host, fetcher_for):
    host.pages["/loop"] = (302, {"Location": "/loop"}, b"")
    assert key_of(fetcher_for(host).get_image, f"{host.url}/loop") == "fetch_redirects"
    assert len(host.asked("/loop")) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/a.jpg",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.jpg",
        "http://[::ffff:127.0.0.1]/a.jpg",
        "http://0x7f000001/a.jpg",
        "http://localhost/a.jpg",
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.jpg",
        "http://[bad/",
        "http://127.0.0.1:99999/",
    ],
)
def test_redirects_out_of_the_public_web_are_refused(host, fetcher_for, location):
    host.pages["/x"] = (302, {"Location": location}, b"")
    with pytest.raises(AddressError):
        fetcher_for(host).get_image(f"{host.url}/x")
    assert len(host.asked("/x")) == 1


def test_a_redirect_to_a_private_port_that_is_not_allowed_reaches_nobody(host, other, fetcher_for):
    host.pages["/x"] = (302, {"Location": f"{other.url}/a.jpg"}, b"")
    with pytest.raises(AddressError):
        fetcher_for(host).get_image(f"{host.url}/x")
    assert not other.requests


@pytest.mark.parametrize(
    "answer",
    [["93.184.216.34", "10.0.0.1"], ["::1", "93.184.216.34"], ["64:ff9b::a00:1"], []],
)
def test_a_name_with_any_private_address_is_refused(fetcher_for, answer):
    asked = []
    fetcher = fetcher_for(resolver=lambda name, port: asked.append(name) or answer, attempts=1)
    key = "fetch_address" if answer else "fetch_connection"
    assert key_of(fetcher.ask_api, "http://pictures.example/a.jpg") == key
    assert asked == ["pictures.example"]


def test_the_connection_goes_to_the_address_that_was_judged(host, fetcher_for):
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    name = f"pictures.example:{host.port}"
    fetcher = fetcher_for(name, resolver=lambda *_: next(answers), is_limited=False)
    assert fetcher.get_image(f"http://{name}/a.jpg") == b"picture"
    assert host.requests[0].headers["Host"] == name


def test_unusual_ports_are_refused_unless_allowed(fetcher_for):
    asked = []
    fetcher = fetcher_for(resolver=lambda *args: asked.append(args) or ["93.184.216.34"])
    assert key_of(fetcher.ask_api, "http://pictures.example:6379/") == "fetch_address"
    assert not asked


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    command += ["-subj", "/CN=pictures.example", "-addext", "subjectAltName=DNS:pictures.example"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return folder


def test_certificates_are_checked_for_the_name_not_the_address(certificate, fetcher_for):
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with serving(lambda line: context.wrap_socket(line, server_side=True)) as host:
        host.pages["/a.jpg"] = PICTURE
        host.pages["/slow"] = lambda handler: drip(handler, in_headers=False)
        pairs = [f"{name}.example:{host.port}" for name in ("pictures", "others")]
        fetcher = fetcher_for(
            *pairs,
            resolver=lambda *_: ["127.0.0.1"],
            verify=str(certificate / "cert.pem"),
            deadline_s=0.6,
            attempts=1,
        )
        assert fetcher.get_image(f"https://{pairs[0]}/a.jpg") == b"picture"
        assert names[0] == "pictures.example"
        assert key_of(fetcher.get_image, f"https://{pairs[0]}/slow") == "fetch_timeout"
        assert key_of(fetcher.ask_api, f"https://{pairs[1]}/a.jpg") == "fetch_connection"
    strict = fetcher_for(pairs[0], resolver=lambda *_: ["127.0.0.1"], attempts=1)
    assert key_of(strict.ask_api, f"https://{pairs[0]}/a.jpg") == "fetch_connection"


def test_proxies_and_passwords_of_the_environment_are_not_used(host, fetcher_for, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert fetcher_for(host).get_image(f"{host.url}/a.jpg") == b"picture"


def test_cookies_are_not_kept(host, fetcher_for):
    host.pages["/a.jpg"] = (200, {"Set-Cookie": "id=1; Path=/"}, b"picture")
    fetcher = fetcher_for(host)
    fetcher.get_image(f"{host.url}/a.jpg")
    fetcher.get_image(f"{host.url}/a.jpg")
    assert "Cookie" not in host.asked("/a.jpg")[1].headers


def test_files_are_read_only_below_the_folders_named(fetcher_for, tmp_path):
    inside = tmp_path / "in ü" / "a b.jpg"
    inside.parent.mkdir()
    inside.write_bytes(b"picture")
    outside = tmp_path / "secret.jpg"
    outside.write_bytes(b"secret")
    (inside.parent / "link.jpg").symlink_to(outside)
    fetcher = fetcher_for(folders=[inside.parent])
    assert fetcher.get_image(inside.as_uri()) == b"picture"
    for url in (
        outside.as_uri(),
        (inside.parent / "link.jpg").as_uri(),
        f"{inside.parent.as_uri()}/../secret.jpg",
    ):
        assert key_of(fetcher.get_image, url) == "fetch_address"
    assert key_of(fetcher.get_image, f"{inside.parent.as_uri()}/none.jpg") == "fetch_missing"
    assert key_of(fetcher_for().get_image, inside.as_uri()) == "fetch_address"


def test_what_is_no_json_is_said_to_be_none(host, fetcher_for):
    host.pages["/x"] = (200, {}, b"<html>")
    assert key_of(fetcher_for(host).get_json, f"{host.url}/x") == "fetch_malformed"


def test_robots_of_the_site_are_asked_once_and_obeyed(host, fetcher_for):
    rules = b"User-agent: *\nDisallow: /private/*.jpg$\nDisallow: /*?session=\n"
    host.pages["/robots.txt"] = (200, {}, rules)
    host.pages["/private/a.png"] = PICTURE
    fetcher = fetcher_for(host)
    assert fetcher.get_image(f"{host.url}/private/a.png") == b"picture"
    for path in ("/private/a.jpg", "/private/deep/b.jpg", "/a.jpg?session=1"):
        with pytest.raises(RobotsError):
            fetcher.get_image(f"{host.url}{path}")
    assert [request.path for request in host.requests] == ["/robots.txt", "/private/a.png"]


def test_an_api_is_not_ruled_by_robots(host, fetcher_for):
    host.pages["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /\n")
    host.pages["/api"] = (200, {}, b"[1]")
    assert fetcher_for(host).get_json(f"{host.url}/api", {"q": "a b"}) == [1]
    assert host.asked("/api")[0].query == "q=a+b"
    assert not host.asked("/robots.txt")


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_site_whose_robots_cannot_be_read_is_left_alone(host, fetcher_for, status):
    host.pages["/robots.txt"] = (status, {}, b"")
    fetcher = fetcher_for(host, attempts=2)
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(fetcher.get_image, f"{host.url}/a.jpg") for _ in range(4)]
    assert {result.exception().key for result in results} == {"fetch_robots"}
    assert len(host.requests) == (2 if status == 500 else 1)


def test_a_redirect_does_not_lead_past_the_next_sites_robots(host, other, fetcher_for):
    other.pages["/robots.txt"] = (200, {}, b"User-agent: Lookalike\nDisallow: /\n")
    host.pages["/x"] = (302, {"Location": f"{other.url}/a.jpg"}, b"")
    with pytest.raises(RobotsError):
        fetcher_for(host, other).get_image(f"{host.url}/x")
    assert not other.without_robots()


def test_a_crawl_delay_makes_gaps_longer(host, fetcher_for):
    host.pages["/robots.txt"] = (200, {}, b"User-agent: *\nCrawl-delay: 0.4\n")
    fetcher = fetcher_for(host)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fetcher.get_image, [f"{host.url}/a.jpg"] * 4))
    assert min(host.gaps()) > 0.3


def test_a_site_that_wants_minutes_between_requests_is_left_alone(host, fetcher_for):
    host.pages["/robots.txt"] = (200, {}, b"User-agent: *\nCrawl-delay: 600\n")
    with pytest.raises(RobotsError, match="600 seconds"):
        fetcher_for(host).get_image(f"{host.url}/a.jpg")
    assert not host.without_robots()


def test_no_host_is_asked_by_more_than_two_at_once(host, other, fetcher_for):
    host.latency_s = other.latency_s = 0.05
    fetcher = fetcher_for(host, other)
    urls = [f"{each.url}/a.jpg" for each in (host, other)] * 12
    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(fetcher.get_image, urls)) == {b"picture"}
    # Side by side: one host alone needs 12 × 0.05 s / 2.
    assert time.monotonic() - started < 1.2
    assert host.most_at_once() == other.most_at_once() == 2


def test_starts_at_a_host_keep_their_distance_over_all_threads(host, other, fetcher_for):
    fetcher = fetcher_for(host, other, delay=0.2)
    urls = [f"{each.url}/a.jpg" for each in (host, other)] * 5
    started = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(fetcher.get_image, urls))
    # The servers note a request a little later than it came.
    assert min(host.gaps() + other.gaps()) > 0.12
    assert time.monotonic() - started < 3.0


def test_calls_to_an_api_go_one_by_one(host, fetcher_for):
    host.latency_s = 0.05
    host.pages["/api"] = (200, {}, b"{}")
    fetcher = fetcher_for(host)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(fetcher.get_json, [f"{host.url}/api"] * 6))
    assert host.most_at_once() == 1


def test_without_limits_threads_are_the_only_bound(host, fetcher_for):
    host.latency_s = 0.1
    fetcher = fetcher_for(host, is_limited=False)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fetcher.get_image, [f"{host.url}/a.jpg"] * 16))
    assert host.most_at_once() > 4
    assert not host.asked("/robots.txt")
