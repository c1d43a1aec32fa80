"""`kill -9` at random moments of a crawl over real sockets: what is left, what is asked again."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from engine.config import load_settings
from engine.crawl.politeness import CONNECTIONS
from engine.crawls import url_digest
from engine.library import Library
from tests.engine.crawl.hosts import serving

ROOT = Path(__file__).resolve().parents[3]
KILLS = 10
PICTURES = 120
WANTED = 100


@pytest.fixture
def site(picture):
    """An Openverse and two hosts of pictures: good ones, some failing, some repeated."""
    with ExitStack() as stack:
        api, *hosts = (stack.enter_context(serving()) for _ in range(3))
        results = []
        for number in range(PICTURES):
            host = hosts[number % 2]
            host.latency_s = 0.03
            kind = {3: "PNG", 7: "GIF"}.get(number % 10, "JPEG")
            data = picture(number - 2 if kind == "PNG" else number, kind=kind)
            page = (200, {"Content-Type": "image/jpeg"}, data)
            if number % 11 == 5:
                page = (404, {}, b"")
            if number % 13 == 6:
                page = (200, {}, data[:900])
            host.pages[f"/{number}.jpg"] = page
            results.append(
                {
                    "url": f"{host.url}/{number}.jpg",
                    "license": "by",
                    "license_version": "4.0",
                    "title": f"number {number}",
                }
            )

        def answer(handler):
            page = int(handler.path.rpartition("page=")[2].partition("&")[0])
            body = {"page_count": 6, "results": results[(page - 1) * 20 : page * 20]}
            handler.answer(200, {}, json.dumps(body).encode())

        api.pages["/v1/images/"] = answer
        yield api, *hosts


@pytest.fixture
def crawl(site, tmp_path):
    """Starts `lookalike crawl` into a data folder of its own."""
    api = site[0]

    def start(name):
        environment = os.environ | {
            "DATA_DIR": str(tmp_path / name),
            "ENCODER": "none",
            "CRAWL_SOURCES": "openverse",
            "CRAWL_DELAY": "0",
            "CRAWL_ALLOW": ",".join(host.pair for host in site),
            "OPENVERSE_URL": api.url,
            "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
        }
        command = [sys.executable, "-m", "engine", "crawl", "tiger", "-n", str(WANTED)]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=tmp_path,
        )

    return start


def kept(data_dir):
    """Names of addresses not to be asked for again: on disk to the last byte, or settled."""
    found = set()
    for path in (data_dir / "crawl").glob("*/*"):
        name, _, length = path.name.partition(".")
        if length and path.stat().st_size == int(length):
            found.add(name)
    with closing(sqlite3.connect(data_dir / "lookalike.db")) as database:
        settled = database.execute("SELECT digest FROM crawl_urls WHERE state != 'waiting'")
        return found | {name for (name,) in settled}


def asked(hosts, start=0.0):
    """Pictures that were asked for after a moment, by the name of their address."""
    return Counter(
        url_digest(f"{host.url}{request.path}")
        for host in hosts
        for request in host.without_robots()
        if request.started > start and host.pages[request.path][0] == 200
    )


def test_ten_kills_leave_the_library_of_an_undisturbed_run(site, crawl, tmp_path):
    _, *hosts = site
    expected, errors = crawl("whole").communicate(timeout=120)
    assert errors == ""
    for host in hosts:
        host.requests.clear()
    rng = random.Random()
    known: list[tuple[float, set[str]]] = []
    while len(known) < KILLS:
        before = sum(len(host.requests) for host in hosts)
        process = crawl("killed")
        while process.poll() is None and sum(len(host.requests) for host in hosts) == before:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it ended before it was killed often enough"
        # What the hosts are answering now went to nobody.
        time.sleep(0.1)
        known.append((time.monotonic(), kept(tmp_path / "killed")))
    counts, errors = crawl("killed").communicate(timeout=120)
    assert (counts, errors) == (expected, "")
    libraries = []
    for name in ("whole", "killed"):
        settings = load_settings(data_dir=tmp_path / name, encoder="none", _env_file=None)
        with Library.open(settings, write=True) as library:
            assert library.check().is_clean
            files = [path for path in settings.library_dir.rglob("*") if path.is_file()]
            states = [(each.url, each.state) for each in library.crawls.urls()]
            libraries.append((library.catalog.all_ids(), sorted(p.name for p in files), states))
    assert libraries[0] == libraries[1]
    for moment, names in known:
        assert not names & set(asked(hosts, moment))
    # What was under way when a kill came is asked for again, and nothing else: a server can have
    # sent a last byte that nobody was there to take.
    again = sum(asked(hosts).values()) - len(asked(hosts))
    assert again <= KILLS * CONNECTIONS * len(hosts)
