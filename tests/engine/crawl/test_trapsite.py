"""A crawl from the command line of a web full of traps, in a process that is watched."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.config import load_settings
from engine.library import Library
from engine.query import Query
from engine.search import Search
from tests.engine.crawl.children import watched
from tests.engine.crawl.trapsite import CRAWL_DELAY_S, MARK, RETRY_AFTER_S, trap_site

ROOT = Path(__file__).resolve().parents[3]
MAX_GROWTH_MB = 800
"""Of the crawling process, over what its imports take, and of all those it starts. One picture of
40 million pixels may take half of it; four at once, or a bomb, would take twice as much."""

PROGRAM = """
import json, os, resource, sys

written = set()

def note(event, args):
    if event == "open":
        path, mode, flags = args
        if isinstance(path, (str, bytes)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.add(os.path.abspath(os.fsdecode(path)))
    elif event in {"os.mkdir", "os.rename", "os.link", "os.symlink"}:
        paths = [each for each in args[:2] if isinstance(each, (str, bytes))]
        written.update(os.path.abspath(os.fsdecode(path)) for path in paths)

sys.addaudithook(note)
import engine.crawl.crawler, engine.library, engine.search, numba
from engine.cli.application import new_application, run

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = peak()
code = run(new_application(), sys.argv[1:])
print(json.dumps({"code": code, "before": before, "after": peak(), "written": sorted(written)}))
"""


@pytest.fixture(scope="module")
def crawled(shared_data, tmp_path_factory):
    """The site after `lookalike crawl`, what the command said, and what its process did."""
    folder = tmp_path_factory.mktemp("trapped")
    for name in ("home", "tmp", "run"):
        (folder / name).mkdir()
    with trap_site(shared_data / "photos") as site:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CRAWL_")},
            **site.environment,
            "DATA_DIR": str(folder / "data"),
            "ENCODER": "none",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "crawl", "tiger", "-n", str(site.wanted)],
            cwd=folder / "run",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                with watched(process.pid) as children:
                    output, errors = process.communicate(timeout=200)
            finally:
                process.kill()
        assert process.returncode == 0, errors
        row, line = output.splitlines()
        noted = json.loads(line) | {"children": children}
        yield site, folder, row, noted, errors


@pytest.fixture
def library(crawled):
    settings = load_settings(data_dir=crawled[1] / "data", encoder="none", _env_file=None)
    with Library.open(settings, write=False) as opened:
        yield opened


def test_counts_equal_the_truth_reason_by_reason(crawled, library):
    site, _, row, noted, errors = crawled
    counts = library.crawls.recent(1)[0].counts
    truth = site.truth
    assert counts["refused"] == truth.refused
    assert counts["failed"] == truth.failed
    assert (counts["found"], counts["added"]) == (truth.found, truth.added)
    refused, failed = sum(truth.refused.values()), sum(truth.failed.values())
    numbers = [truth.found, truth.added, refused, failed, 0]
    assert row.split("\t")[:6] == ["tiger", *map(str, numbers)]
    assert noted["code"] == 0
    assert all(line.startswith("tiger") for line in errors.splitlines())


def test_every_address_ends_as_it_must(crawled, library):
    states = {each.url: each.state for each in library.crawls.urls()}
    for trap in crawled[0].traps:
        expected = "failed" if trap.outcome.startswith("fetch_") else "refused"
        assert states.pop(trap.url) == ("fetched" if trap.outcome == "added" else expected), trap
    assert not states


def test_nothing_is_written_outside_the_data_folder(crawled, library):
    _, folder, _, noted, _ = crawled
    data = folder / "data"
    assert [path for path in noted["written"] if not Path(path).is_relative_to(data)] == []
    assert not [path for name in ("home", "tmp", "run") for path in (folder / name).iterdir()]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if MARK in path.name]
    pictures = [path for path in files if path.is_relative_to(data / "library")]
    assert {path.parent for path in pictures} == {data / "library" / "tiger"}
    assert all(re.fullmatch(r"[0-9a-f]{16}\.jpg", path.name) for path in pictures)
    assert len(pictures) == crawled[0].truth.added
    assert not list((data / "crawl").iterdir())


def test_memory_stays_bounded(crawled):
    noted = crawled[3]
    assert noted["children"], "pictures are decoded in processes of their own"
    growth = noted["after"] - noted["before"] + sum(noted["children"].values())
    assert growth < MAX_GROWTH_MB


def test_the_library_is_whole_and_the_new_category_answers_a_photo(crawled, library):
    site = crawled[0]
    assert library.check().is_clean
    search = Search(library)
    [best, *_] = search.run(
        Query(images=(search.open_query(site.question),), metric="l1", category="tiger")
    )
    assert best.landing_page == site.answer_page
    assert best.licence == "CC BY 4.0"


def test_nobody_was_asked_who_must_not_be(crawled):
    assert crawled[0].trespasses() == []


def test_hosts_were_treated_as_they_wish(crawled):
    site = crawled[0]
    for host in (site.media, site.slow, site.busy, site.api):
        assert host.most_at_once(apart_from="/endless/") <= 2
    assert site.api.most_at_once() == 1
    assert site.slow.mean_gap() > CRAWL_DELAY_S * 0.8
    [turned_away, *_] = [each for each in site.busy.requests if each.path == "/busy.jpg"]
    # What was on its way when the answer came has a moment to arrive.
    waits = [each.started - turned_away.ended for each in site.busy.requests]
    later = [wait for wait in waits if wait > 0.2]
    assert later
    assert min(later) > RETRY_AFTER_S * 0.95
