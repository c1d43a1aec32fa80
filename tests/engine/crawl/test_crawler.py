"""Crawls: counts that add up, order, limits, failing sources, cancelling, and coming back."""

from __future__ import annotations

import threading
import time
from collections import Counter

import numpy as np
import pytest

from engine.crawl import cleaners, downloads
from engine.crawl.crawler import Crawler, CrawlRunningError
from engine.errors import LookalikeError, StoreError
from engine.images import MIN_SIDE, image_id, open_image, thumbnail
from engine.library import Library
from tests.engine.crawl import web


@pytest.fixture
def library(settings):
    with Library.open(settings, write=True) as opened:
        yield opened


def urls(count, start=0):
    return [f"http://host/{number}" for number in range(start, start + count)]


def stored(library):
    return sorted(path.name for path in library.settings.library_dir.rglob("*") if path.is_file())


def assert_adds_up(counts):
    failed, refused = sum(counts.failed.values()), sum(counts.refused.values())
    assert counts.found == counts.added + refused + failed


def test_counts_equal_what_was_served_reason_by_reason(library, picture):
    pages = {
        "u/1": picture(1),
        "u/2": picture(2),
        "u/same bytes": picture(1),
        "u/same look": picture(1, kind="PNG"),
        "u/small": picture(3, size=(40, 40)),
        "u/long": picture(3, size=(900, 90)),
        "u/page": b"<html>not found",
        "u/cut": picture(4)[:1500],
        "u/403": web.failure("fetch_forbidden"),
        "u/timeout": web.failure("fetch_timeout"),
    }
    source = web.Listed([*pages, "u/404", "u/1"])
    report = Crawler(library, web.Web(pages), [source]).run("tiger")
    assert report.state == "done"
    assert report.counts.added == 2
    assert report.counts.refused == {
        "duplicate": 1,
        "near_duplicate": 1,
        "too_small": 1,
        "extreme_ratio": 1,
        "no_picture": 1,
        "unreadable": 1,
    }
    assert report.counts.failed == {"fetch_forbidden": 1, "fetch_missing": 1, "fetch_timeout": 1}
    assert_adds_up(report.counts)
    kept = library.crawls.get(report.crawl_id).counts
    assert {**kept, **report.counts.as_json()} == kept
    assert library.crawls.get(report.crawl_id).state == "done"


def test_pictures_arrive_with_their_facts_and_can_be_found(library, picture):
    report = Crawler(library, web.Web({"u/1": picture(1)}), [web.Listed(["u/1"])]).run("tiger")
    [name] = report.pictures
    facts = library.catalog.facts([name])[name]
    assert (facts.category, facts.source, facts.state) == ("tiger", "listed", "ready")
    assert facts.landing_page == "u/1/page"
    path = library.settings.library_dir.resolve() / "tiger" / f"{name}.jpg"
    assert facts.path == path
    assert image_id(path.read_bytes()) == name
    assert [(c.category, c.count) for c in library.categories()] == [("tiger", 1)]
    assert library.check().is_clean
    assert not list((library.settings.data_dir / "crawl").iterdir())


def test_not_one_address_more_is_asked_for_than_wanted(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(60))}
    internet = web.Web(pages, delay_s=0.01)
    source = web.Listed(pages)
    report = Crawler(library, internet, [source]).run("tiger", wanted=20)
    assert report.counts.added == 20
    assert sum(internet.served.values()) == 20
    assert source.asked < 60
    assert 2 <= internet.most_at_once <= 16


def test_what_is_found_first_is_decided_first_whatever_comes_first(library, picture):
    class Slow(web.Web):
        def get_image(self, url):
            time.sleep(0.2 if url == "u/1" else 0)
            return super().get_image(url)

    pages = {"u/1": picture(1), "u/2": picture(1, kind="PNG"), "u/3": picture(3)}
    report = Crawler(library, Slow(pages), [web.Listed(pages)]).run("tiger")
    assert report.counts.refused == {"near_duplicate": 1}
    assert library.crawls.urls()[1].state == "refused"


def test_a_source_that_fails_is_reported_and_the_next_one_fills_up(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(10))}
    first = web.Listed(urls(4), "first", fails_after=3)
    second = web.Listed(urls(10), "second")
    third = web.Listed(urls(10), "third")
    report = Crawler(library, web.Web(pages), [first, second, third]).run("tiger", wanted=6)
    assert report.counts.added == 6
    assert [(each.source, each.key) for each in report.troubles] == [("first", "source_down")]
    sources = Counter(facts.source for facts in library.catalog.facts(report.pictures).values())
    assert sources == {"first": 3, "second": 3}


def test_a_smaller_copy_is_asked_for_where_the_largest_is_gone(library, picture):
    class Ladder(web.Listed):
        def candidates(self, topic, fetcher):
            yield web.candidate("u/b", alternatives=("u/c", "u/z"))

    internet = web.Web({"u/z": picture(1)})
    report = Crawler(library, internet, [Ladder([])]).run("tiger")
    assert (report.counts.found, report.counts.added) == (1, 1)


def test_a_second_crawl_asks_only_for_what_is_new_or_failed(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(4))} | {
        "u/small": picture(9, size=(9, 9))
    }
    internet = web.Web(pages | {"u/down": web.failure("fetch_server")})
    source = web.Listed([*pages, "u/down"])
    crawler = Crawler(library, internet, [source])
    assert crawler.run("tiger").counts.failed == {"fetch_server": 1}
    internet.pages |= {"u/down": picture(20), "u/new": picture(21)}
    source.urls.append("u/new")
    report = crawler.run("tiger")
    assert (report.counts.added, report.counts.known, report.counts.found) == (2, 5, 2)
    assert set(internet.served.values()) == {1}


def test_a_removed_category_can_be_crawled_again(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(3))}
    crawler = Crawler(library, web.Web(pages), [web.Listed(pages)])
    crawler.run("tiger")
    assert library.remove(category="tiger") == 3
    assert stored(library) == []
    assert crawler.run("tiger").counts.added == 3


def test_a_single_picture_that_was_removed_does_not_come_back(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(3))}
    crawler = Crawler(library, web.Web(pages), [web.Listed(pages)])
    library.remove(ids=crawler.run("tiger").pictures[:1])
    assert crawler.run("tiger").counts.added == 0


def test_cancelling_works_at_once_and_keeps_what_was_decided(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(40))}
    internet = web.Web(pages, delay_s=0.2)
    stop = threading.Event()
    set_at = []

    def watch(progress):
        if progress.counts.added >= 4 and not set_at:
            set_at.append(time.monotonic())
            stop.set()

    crawler = Crawler(library, internet, [web.Listed(pages)], threads=4)
    report = crawler.run("tiger", wanted=40, progress=watch, stop=stop)
    assert time.monotonic() - set_at[0] < 1
    assert report.state == library.crawls.get(report.crawl_id).state == "cancelled"
    assert_adds_up(report.counts)
    assert 4 <= report.counts.added == library.catalog.count() < 40
    assert library.check().is_clean
    stop.clear()
    again = crawler.run("tiger", wanted=40, stop=stop)
    assert again.counts.added + report.counts.added == 40


def test_a_cancel_does_not_wait_for_a_download_that_hangs(library):
    release = threading.Event()

    class Hanging(web.Endless):
        def get_image(self, url):
            release.wait(20)
            raise web.failure("fetch_timeout")

    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    began = time.monotonic()
    report = Crawler(library, Hanging(), [web.Listed(["u/1"])]).run("tiger", stop=stop)
    assert time.monotonic() - began < 2
    release.set()
    assert (report.state, report.counts.found) == ("cancelled", 0)
    timer.join()


def test_addresses_alone_are_listed_and_fetched_by_the_next_crawl(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(8))}
    internet, source = web.Web(pages), web.Listed(pages)
    crawler = Crawler(library, internet, [source])
    report = crawler.run("tiger", wanted=5, urls_only=True)
    assert (report.counts.found, report.counts.added) == (5, 0)
    assert not internet.served
    assert [each.url for each in library.crawls.urls()] == urls(5)
    source.urls.clear()
    assert crawler.run("tiger").counts.added == 5


def test_an_interrupted_crawl_goes_on_or_makes_way_for_what_is_asked_now(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(9))}
    crawler = Crawler(library, web.Web(pages), [web.Listed(pages)])
    left = library.crawls.queue("tiger", category="tiger", wanted=3, sources=["listed"])
    library.crawls.start(left.id)
    assert crawler.run("tiger", wanted=3).crawl_id == left.id
    library.crawls.start(left.id)
    assert crawler.run("tiger", wanted=4).crawl_id != left.id
    assert library.crawls.get(left.id).state == "failed"
    assert library.crawls.unfinished() == []
    queued = library.crawls.queue(
        "tiger", category="tiger", wanted=9, sources=["listed"], chat_id=7
    )
    report = crawler.run("tiger", crawl_id=queued.id)
    assert (report.crawl_id, report.wanted, report.counts.added) == (queued.id, 9, 2)
    assert library.crawls.get(queued.id).state == "done"


def test_one_category_is_crawled_once_at_a_time_and_two_side_by_side(library, picture):
    pages = {url: picture(n) for n, url in enumerate(urls(12))}
    crawler = Crawler(library, web.Web(pages, delay_s=0.1), [web.Listed(pages)], threads=2)
    thread = threading.Thread(target=crawler.run, args=("tiger",))
    thread.start()
    time.sleep(0.2)
    with pytest.raises(CrawlRunningError):
        crawler.run(" tiger ")
    other = Crawler(library, web.Web({"v/1": picture(50)}), [web.Listed(["v/1"])])
    assert other.run("lion").counts.added == 1
    thread.join()
    assert library.catalog.count() == 13
    assert library.check().is_clean


@pytest.mark.parametrize(
    "topic",
    ["../../etc/passwd", "con", "hổ Đông Dương", "老虎", "🐯", "a/b\\c:d", "Tiger", "x" * 400],
)
def test_topics_of_any_shape_stay_inside_the_library(library, picture, topic):
    report = Crawler(library, web.Web({"u/1": picture(1)}), [web.Listed(["u/1"])]).run(topic)
    facts = library.catalog.facts(report.pictures)[report.pictures[0]]
    assert facts.category == topic
    assert facts.path.parent.parent == library.settings.library_dir.resolve()
    assert library.check().is_clean


def test_a_topic_without_a_word_is_refused(library):
    with pytest.raises(LookalikeError, match="at least one word"):
        Crawler(library, web.Web({}), []).run(" \0 ")


def test_a_bug_in_a_source_or_a_full_disk_fails_the_crawl_and_says_so(library, picture):
    class Broken(web.Listed):
        def candidates(self, topic, fetcher):
            raise KeyError("surprise")
            yield

    with pytest.raises(KeyError):
        Crawler(library, web.Web({}), [Broken([])]).run("tiger")
    [entry] = library.crawls.recent(1)
    assert entry.state == "failed"
    library.settings.library_dir.rmdir()
    library.settings.library_dir.write_text("in the way")
    with pytest.raises(StoreError):
        Crawler(library, web.Web({"u/1": picture(1)}), [web.Listed(["u/1"])]).run("tiger")
    assert library.crawls.recent(1)[0].state == "failed"
    assert library.catalog.count() == 0


def test_a_crawl_goes_on_when_the_process_that_cleans_is_ended(library, picture, monkeypatch):
    monkeypatch.setattr(downloads, "BATCH", 2)
    pages = {url: picture(number) for number, url in enumerate(urls(12))}
    ended = []
    clean = cleaners._Cleaner.clean

    def ending(self, paths, **options):
        if self._is_ready and len(ended) < 3:
            ended.append(self._process.pid)
            self._process.kill()
        return clean(self, paths, **options)

    monkeypatch.setattr(cleaners._Cleaner, "clean", ending)
    report = Crawler(library, web.Web(pages), [web.Listed(pages)]).run("tiger", wanted=12)
    assert ended
    assert report.counts.added == 12


def test_a_crawl_whose_cleaners_cannot_start_fails_and_says_so(library, picture, monkeypatch):
    monkeypatch.setattr(cleaners.sys, "executable", "/bin/false")
    with pytest.raises(StoreError, match="cleaned"):
        Crawler(library, web.Web({"u/1": picture(1)}), [web.Listed(["u/1"])]).run("tiger")
    [entry] = library.crawls.recent()
    assert entry.state == "failed"


def test_thumbnails_are_those_of_the_stored_files(library, picture):
    pages = {url: picture(number) for number, url in enumerate(urls(6))}
    report = Crawler(library, web.Web(pages), [web.Listed(pages)]).run("tiger", wanted=6)
    assert len(report.pictures) == 6
    side = library.thumbnails.side
    for name, facts in library.catalog.facts(report.pictures).items():
        stored = thumbnail(open_image(facts.path, min_side=MIN_SIDE), side)
        np.testing.assert_array_equal(library.thumbnails.get([name])[0], stored)
