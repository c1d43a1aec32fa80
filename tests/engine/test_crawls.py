"""The crawls' log: states, order, what is remembered and what is forgotten, on both databases."""

from __future__ import annotations

import pytest

from engine.catalog import Catalog, Photo
from engine.crawls import CrawlLog, FoundUrl, KnownUrl, ListedUrl, UrlOutcome, url_digest

pytest_plugins = ["tests.engine.databases"]


@pytest.fixture
def catalog(url):
    with Catalog.open(url) as opened:
        yield opened


@pytest.fixture
def log(catalog):
    return CrawlLog(catalog.session)


def queued(log, category="tiger", **asked):
    return log.queue(category, category=category, wanted=5, sources=["a", "b"], **asked)


def take(log, crawl, *urls):
    log.take(crawl, [FoundUrl(url, {"url": url}) for url in urls])


def test_a_crawl_goes_through_its_states_and_keeps_who_asked(log):
    crawl = queued(log, chat_id=-(10**12), user_id=10**10)
    assert (crawl.state, crawl.chat_id, crawl.user_id) == ("queued", -(10**12), 10**10)
    assert log.unfinished() == [crawl]
    log.start(crawl.id)
    running = log.get(crawl.id)
    assert (running.state, running.finished_at) == ("running", None)
    log.start(crawl.id)
    assert log.get(crawl.id).started_at == running.started_at
    log.finish(crawl.id, "done", counts={"added": 3})
    done = log.get(crawl.id)
    assert (done.state, done.counts, done.sources) == ("done", {"added": 3}, ("a", "b"))
    assert done.finished_at >= done.started_at
    assert log.unfinished() == []
    assert log.get(crawl.id + 1) is None
    assert log.recent() == [done]


def test_addresses_wait_in_the_order_of_finding_and_are_settled(log):
    crawl = queued(log)
    take(log, crawl, "u/2", "u/1")
    take(log, crawl, "u/3", "u/1")
    assert [each.url for each in log.waiting("tiger")] == ["u/2", "u/1", "u/3"]
    assert log.waiting("lion") == []
    log.settle(
        crawl,
        [UrlOutcome("u/2", "fetched", image_id="a" * 16), UrlOutcome("u/1", "refused", "blurred")],
    )
    assert log.tally(crawl.id) == {
        ("fetched", None): 1,
        ("refused", "blurred"): 1,
        ("waiting", None): 1,
    }
    assert log.pictures(crawl.id) == ["a" * 16]
    assert log.known("tiger") == {
        url_digest("u/1"): KnownUrl(crawl.id, "refused"),
        url_digest("u/2"): KnownUrl(crawl.id, "fetched"),
        url_digest("u/3"): KnownUrl(crawl.id, "waiting"),
    }
    assert log.known("lion") == {}


def test_what_failed_is_taken_up_again_at_the_end(log):
    first, second = queued(log), queued(log)
    take(log, first, "u/1", "u/2")
    log.settle(first, [UrlOutcome("u/1", "failed", "fetch_timeout")])
    take(log, second, "u/1")
    assert [each.url for each in log.waiting("tiger")] == ["u/2", "u/1"]
    assert log.known("tiger")[url_digest("u/1")] == KnownUrl(second.id, "waiting")
    assert log.tally(first.id) == {("waiting", None): 1}


def test_only_interrupted_crawls_get_their_lost_pictures_back(log, catalog):
    interrupted, done = queued(log), queued(log)
    take(log, interrupted, "u/1", "u/2")
    take(log, done, "u/3")
    log.start(interrupted.id)
    log.finish(done.id, "done")
    catalog.add_pending([Photo("a" * 16, "tiger", 1, 1, 5)])
    for crawl, url, name in (
        (interrupted, "u/1", "a"),
        (interrupted, "u/2", "b"),
        (done, "u/3", "c"),
    ):
        log.settle(crawl, [UrlOutcome(url, "fetched", image_id=name * 16)])
    assert log.reopen("lion") == 0
    assert log.reopen("tiger") == 1
    assert [each.url for each in log.waiting("tiger")] == ["u/2"]


def test_addresses_are_listed_and_forgotten_by_category(log):
    take(log, queued(log, "tiger"), "u/1")
    take(log, queued(log, "hổ"), "u/1")
    assert log.urls() == [
        ListedUrl("hổ", "hổ", "u/1", "waiting"),
        ListedUrl("tiger", "tiger", "u/1", "waiting"),
    ]
    log.forget("hổ")
    assert [each.category for each in log.urls()] == ["tiger"]


def test_many_addresses_at_once(log):
    crawl = queued(log)
    urls = [f"u/{number}" for number in range(3000)]
    take(log, crawl, *urls)
    log.settle(crawl, [UrlOutcome(url, "refused", "blurred") for url in urls])
    assert len(log.known("tiger")) == 3000
    assert log.tally(crawl.id) == {("refused", "blurred"): 3000}
