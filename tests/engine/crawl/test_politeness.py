"""Politeness as the servers see it, when whole crawls run side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from engine.config import load_settings
from engine.crawl.crawler import Crawler
from engine.crawl.fetch import Fetcher
from engine.library import Library
from tests.engine.crawl import web
from tests.engine.crawl.hosts import serving

DELAY_S = 0.15
CLOSE = 0.8
"""Of a wait: a server notes a request a little later than it was sent, each by its own little."""


@pytest.fixture
def hosts(picture):
    with ExitStack() as stack:
        pair = [stack.enter_context(serving()) for _ in range(2)]
        for place, host in enumerate(pair):
            for number in range(10):
                data = picture(place * 10 + number)
                host.pages[f"/{number}.jpg"] = (200, {"Content-Type": "image/jpeg"}, data)
        yield pair


@pytest.fixture
def crawl(hosts, tmp_path):
    """Runs crawls side by side, over one library and one fetcher: topic → addresses."""

    def run(delay=0.0, **topics):
        settings = load_settings(
            data_dir=tmp_path / "data",
            encoder="none",
            crawl_delay=delay,
            crawl_allow=tuple(host.pair for host in hosts),
            _env_file=None,
        )
        fetcher = Fetcher(settings, backoff_s=0.02)
        with Library.open(settings, write=True) as library, ThreadPoolExecutor() as pool:
            crawls = {
                topic: pool.submit(Crawler(library, fetcher, [web.Listed(urls)]).run, topic)
                for topic, urls in topics.items()
            }
            counts = {topic: each.result().counts for topic, each in crawls.items()}
        fetcher.close()
        return counts

    return run


def urls(host, numbers):
    return [f"{host.url}/{number}.jpg" for number in numbers]


def test_crawls_side_by_side_share_a_hosts_gap(hosts, crawl):
    first, second = hosts
    counts = crawl(
        delay=DELAY_S,
        lion=urls(first, range(5)) + urls(second, range(5)),
        tiger=urls(first, range(5, 10)) + urls(second, range(5, 10)),
    )
    assert [each.added for each in counts.values()] == [10, 10]
    for host in hosts:
        # Ten pictures and robots.txt, which waits for its turn like all others.
        assert len(host.requests) == 11
        assert host.mean_gap() > DELAY_S * CLOSE


def test_crawls_side_by_side_share_a_hosts_two_connections(hosts, crawl):
    first, second = hosts
    first.latency_s = second.latency_s = 0.05
    counts = crawl(
        lion=urls(first, range(5)) + urls(second, range(5)),
        tiger=urls(first, range(5, 10)) + urls(second, range(5, 10)),
    )
    assert [each.added for each in counts.values()] == [10, 10]
    assert [host.most_at_once() for host in hosts] == [2, 2]
    assert [len(host.asked("/robots.txt")) for host in hosts] == [1, 1]


def test_a_host_that_is_busy_is_left_alone_and_the_other_is_not(hosts, crawl):
    busy, other = hosts
    busy.pages["/0.jpg"] = [(503, {"Retry-After": "1"}, b""), busy.pages["/0.jpg"]]
    counts = crawl(delay=0.05, lion=urls(busy, range(3)), tiger=urls(other, range(6)))
    assert (counts["lion"].added, counts["tiger"].added) == (3, 6)
    [turned_away, *_] = busy.asked("/0.jpg")
    waits = [each.started - turned_away.ended for each in busy.requests]
    assert min(wait for wait in waits if wait > 0.2) > CLOSE
    assert max(each.ended for each in other.requests) < turned_away.ended + CLOSE


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ("User-agent: *\nDisallow: /", ()),
        ("User-agent: *\nDisallow: /*.jpg$", ()),
        ("User-agent: *\nDisallow: /\nAllow: /1*.jpg", ("/1.jpg",)),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Lookalike\nDisallow: /2", ("/0.jpg", "/1.jpg")),
        ("User-agent: Lookalike\nDisallow: /\n\nUser-agent: *\nAllow: /", ()),
        ("User-agent: Other\nDisallow: /", ("/0.jpg", "/1.jpg", "/2.jpg")),
    ],
)
def test_robots_rules_are_obeyed_by_a_crawl(hosts, crawl, rules, allowed):
    host = hosts[0]
    host.pages["/robots.txt"] = (200, {}, rules.encode())
    counts = crawl(lion=urls(host, range(3)))["lion"]
    assert sorted(each.path for each in host.without_robots()) == list(allowed)
    assert counts.added == len(allowed)
    assert counts.failed == ({"fetch_robots": 3 - len(allowed)} if len(allowed) < 3 else {})


def test_a_crawl_delay_is_kept_by_all_crawls(hosts, crawl):
    host = hosts[0]
    host.pages["/robots.txt"] = (200, {}, b"User-agent: *\nCrawl-delay: 0.2\n")
    crawl(lion=urls(host, range(4)), tiger=urls(host, range(4, 8)))
    assert len(host.requests) == 9
    assert host.mean_gap() > 0.2 * CLOSE
