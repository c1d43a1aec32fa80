"""`/crawl` through the running bot, against a web of real photos and of every trap."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.i18n import Translator
from bot.playground import running_playground
from engine.config import load_settings
from engine.library import Library
from tests.engine.crawl.children import peak_mb, watched
from tests.engine.crawl.trapsite import MARK, TrapSite, trap_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.playground import Playground

ROOT = Path(__file__).resolve().parents[2]
ADMIN = 9
MAX_GROWTH_MB = 900
"""Of the bot's process while it crawls, and of all those it started meanwhile: a bomb, or two
pictures of 40 million pixels decoded at once beside a download that never ends, would take more."""


class Crawled:
    """What there is after one `/crawl` by an admin, and one question about the new category."""

    def __init__(self, site: TrapSite, playground: Playground, folder: Path) -> None:
        self.site = site
        self.folder = folder
        self.messages: list[dict[str, Any]] = []
        admin = playground.user(ADMIN, "Ada", "en")
        with self._bot(playground) as process:
            admin.send_text("/start")
            playground.wait_for(ADMIN, timeout=60)
            before = peak_mb(process.pid)
            with watched(process.pid) as self.children:
                admin.send_text(f"/crawl tiger {site.wanted}")
                self.sheet = playground.wait_for(
                    ADMIN, lambda m: "new pictures" in m.get("caption", ""), timeout=200
                )
                self.progress = playground.wait_for(ADMIN, lambda m: "✅ Done" in m.get("text", ""))
            self.growth_mb = peak_mb(process.pid) - before + sum(self.children.values())
            asked = admin.send_photo(site.question, "#tiger /metric l1")
            playground.wait_for(ADMIN, lambda m: "reply_markup" in m, 60, after=asked["message_id"])
            self.answer = playground.answers(ADMIN, after=asked["message_id"])
            process.terminate()
            assert process.wait(30) == 0
        self.edits = playground.calls("editMessageText")

    def _bot(self, playground: Playground) -> subprocess.Popen[bytes]:
        for name in ("home", "tmp", "run"):
            (self.folder / name).mkdir()
        known = {
            **self.site.environment,
            "TELEGRAM_TOKEN": playground.token,
            "TELEGRAM_API_URL": playground.url,
            "ADMIN_IDS": str(ADMIN),
            "DATA_DIR": str(self.folder / "data"),
            "ENCODER": "none",
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "bot"],
            env={**os.environ, **known},
            cwd=self.folder / "run",
        )


@pytest.fixture(scope="module")
def crawled(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("crawled")
    with trap_site(shared_data / "photos") as site, running_playground() as playground:
        yield Crawled(site, playground, folder)


@pytest.fixture
def library(crawled: Crawled) -> Iterator[Library]:
    settings = load_settings(data_dir=crawled.folder / "data", encoder="none", _env_file=None)
    with Library.open(settings, write=True) as opened:
        yield opened


def test_counts_in_the_log_equal_the_truth_reason_by_reason(
    crawled: Crawled, library: Library
) -> None:
    truth, counts = crawled.site.truth, library.crawls.recent(1)[0].counts
    assert counts["refused"] == truth.refused
    assert counts["failed"] == truth.failed
    assert (counts["found"], counts["added"]) == (truth.found, truth.added)


def test_chat_reads_the_same_counts(crawled: Crawled) -> None:
    say, truth, text = Translator("en"), crawled.site.truth, crawled.progress["text"]
    assert f"found {truth.found} · added {truth.added}" in text
    assert f"left out {sum(truth.refused.values())}: " in text
    assert f"not reached {sum(truth.failed.values())}: " in text
    for counts in (truth.refused, truth.failed):
        most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:6]
        for reason, number in most:
            assert f"{number} {say.reason(reason)}" in text
    assert crawled.sheet["caption"].startswith(f"tiger: {truth.added} new pictures")
    assert crawled.sheet["photo"]


def test_progress_was_edited_at_most_every_two_seconds(crawled: Crawled) -> None:
    times = sorted(record.at for record in crawled.edits)
    assert len(times) > 3
    # The last, which tells the end, comes as soon as there is one.
    assert min(after - before for before, after in pairwise(times[:-1])) > 1.8


def test_new_category_answers_a_photo(crawled: Crawled) -> None:
    captions = [message["caption"] for message in crawled.answer if "caption" in message]
    assert re.match(r"#1 · tiger · \d+% similar", captions[0])
    assert crawled.site.answer_page in captions[0]
    assert "CC BY 4.0" in captions[0]


def test_nothing_is_written_outside_the_data_folder(crawled: Crawled, library: Library) -> None:
    folder = crawled.folder
    assert not [path for name in ("home", "tmp", "run") for path in (folder / name).iterdir()]
    assert not [path for path in folder.rglob("*") if MARK in path.name]
    pictures = [path for path in (folder / "data" / "library").rglob("*") if path.is_file()]
    assert {path.parent.name for path in pictures} == {"tiger"}
    assert len(pictures) == crawled.site.truth.added
    assert library.check().is_clean


def test_memory_stays_bounded(crawled: Crawled) -> None:
    assert crawled.children, "pictures are decoded in processes of their own"
    assert crawled.growth_mb < MAX_GROWTH_MB


def test_nobody_was_asked_who_must_not_be(crawled: Crawled) -> None:
    assert crawled.site.trespasses() == []
