"""Crawling beside a plain pool of threads that only downloads, from hosts 50 ms away."""

from __future__ import annotations

import shutil
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from bench.figures import Figure, seconds
from bench.hosts import serving
from engine.config import load_settings
from engine.crawl.crawler import Crawler
from engine.crawl.fetch import Fetcher
from engine.crawl.run import THREADS
from engine.crawl.sources import open_source
from engine.drawings import write_gallery
from engine.library import Library

if TYPE_CHECKING:
    from collections.abc import Sequence

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"
HOSTS = 4
LATENCY_S = 0.05
PICTURES = 500
PER_TOPIC = 24
ROUNDS = 5


def measure(folder: Path, pictures: int) -> list[Figure]:  # noqa: ARG001 - every group takes both
    """Pictures per second of a whole crawl, cleaning and storing included, and of a bare pool."""
    site = folder / "site"
    number = _fill(site)
    plain_s, free_s, polite_s, narrow_s = [], [], [], []
    with serving(site, HOSTS, LATENCY_S) as hosts:
        urls = [f"http://{hosts[each % HOSTS]}/{each}.jpg" for each in range(number)]
        crawl = _Crawl(folder, hosts, urls)
        crawl.seconds(is_limited=False)
        for _ in range(ROUNDS):
            plain_s.append(_plain_seconds(urls, THREADS))
            free_s.append(crawl.seconds(is_limited=False))
            narrow_s.append(_plain_seconds(urls, 2 * HOSTS))
            polite_s.append(crawl.seconds(is_limited=True))
    plain, free, narrow, polite = (
        number / statistics.median(taken) for taken in (plain_s, free_s, narrow_s, polite_s)
    )
    return [
        Figure(
            f"crawling, no limits, {THREADS} threads: beside a plain pool that only downloads",
            statistics.median(p / f for p, f in zip(plain_s, free_s, strict=True)),
            "×",
            0.8,
            detail=f"{free:.0f} of {plain:.0f} pictures/s, {crawl.added} of {number} kept",
        ),
        Figure(
            "crawling, 2 connections a host: beside a plain pool of as many threads",
            statistics.median(p / f for p, f in zip(narrow_s, polite_s, strict=True)),
            "×",
            detail=f"{polite:.0f} of {narrow:.0f} pictures/s from {HOSTS} hosts",
        ),
    ]


class _Crawl:
    """Crawls the same addresses again and again, each time into a new library.

    None is deleted in between: some file systems make files more slowly for minutes after many
    were deleted, which would be measured with the next round.
    """

    def __init__(self, folder: Path, hosts: Sequence[str], urls: Sequence[str]) -> None:
        self._folder = folder
        self._list = folder / "urls.txt"
        self._list.write_text("\n".join(urls), encoding="utf-8")
        self._wanted = len(urls)
        self._settings = load_settings(
            encoder="none", crawl_delay=0, crawl_allow=tuple(hosts), _env_file=None
        )
        self._rounds = 0
        self.added = 0

    def seconds(self, *, is_limited: bool) -> float:
        self._rounds += 1
        data_dir = self._folder / f"crawled-{self._rounds}"
        settings = self._settings.model_copy(update={"data_dir": data_dir})
        fetcher = Fetcher(settings, is_limited=is_limited)
        source = open_source(str(self._list), settings)
        with Library.open(settings, write=True) as library:
            crawler = Crawler(library, fetcher, [source])
            report = crawler.run("everything", wanted=self._wanted)
        fetcher.close()
        if report.counts.failed:
            raise RuntimeError(f"the hosts failed: {report.counts.failed}")
        self.added = report.counts.added
        return report.seconds


def _plain_seconds(urls: Sequence[str], threads: int) -> float:
    """The plainest way: one session, a pool of threads, nothing done with what comes."""
    session = requests.Session()
    session.trust_env = False
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=threads)
    session.mount("http://", adapter)

    def download(url: str) -> int:
        answer = session.get(url, timeout=10)
        answer.raise_for_status()
        return len(answer.content)

    with session, ThreadPoolExecutor(threads) as pool:
        return seconds(lambda: list(pool.map(download, urls)))


def _fill(site: Path) -> int:
    """Files `0.jpg`, `1.jpg`…: real photos where there are some, else drawings."""
    gallery = PHOTOS
    if not PHOTOS.is_dir():
        gallery = site.with_name("drawings")
        write_gallery(gallery, PER_TOPIC)
    files = sorted(gallery.rglob("*.jpg"))[:PICTURES]
    site.mkdir()
    for number, file in enumerate(files):
        shutil.copyfile(file, site / f"{number}.jpg")
    return len(files)
