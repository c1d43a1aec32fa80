"""/stats: the running bot in figures, for admins only."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.figures import EncoderState, Figures, in_words
from bot.i18n import Translator
from bot.latency import Percentiles
from engine.errors import StoreError
from engine.library import LibraryStats
from engine.locks import OwnerLock
from tests.bot.conftest import RunBot, answer_to, draw
from tests.bot.test_browsing import keep_for_oneself

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground import Playground, User
    from engine.config import Settings

ADMIN = 9
STATS = LibraryStats(
    pictures=1234, pending=2, near_duplicates=3, categories=60, files=1300,
    file_bytes=123_456_789, encoder="clip", embedded=1000, index_bytes=5_400_000_000,
)  # fmt: skip
FIGURES = Figures(
    uptime_s=3 * 86_400 + 4 * 3600 + 59,
    waiting=3,
    in_hand=1,
    latency=Percentiles(count=128, p50_s=0.42, p95_s=1.5, p99_s=12.3),
    library=STATS,
    trouble=None,
    is_owner=True,
    encoder=EncoderState("clip", is_loaded=True, device="cpu", dimension=512),
    crawls=(),
    last_crawl=None,
    disk_free=12_300_000_000,
    disk_size=500_000_000_000,
)


async def ask(user: User, playground: Playground) -> str:
    sent = await asyncio.to_thread(user.send_text, "/stats")
    message = await playground.until(user.id, after=sent["message_id"])
    return str(message["text"])


async def test_admins_get_the_figures_and_others_a_refusal(
    run_bot: RunBot, playground: Playground
) -> None:
    admin, linh = playground.user(ADMIN, "Ada", "en"), playground.user(2, "Linh", "vi")
    async with run_bot(admin_ids=(ADMIN,)):
        before = await ask(admin, playground)
        sent = await asyncio.to_thread(admin.send_photo, draw("tiger", 0))
        await answer_to(playground, sent)
        after = await ask(admin, playground)
        refused = await ask(linh, playground)
    assert "🗂 18 pictures in 3 categories" in before
    assert "👯 Near-duplicates: 0" in before
    assert "No image model" in before
    assert "⚡ No answers yet" in before
    assert "🕸 No crawls yet" in before
    assert re.search(r"⏳ Waiting: 0 · being answered: 1\n", before), "this very question"
    assert re.search(r"💽 [\d.,]+ [GM]B of [\d.,]+ [GM]B free", before)
    assert re.search(r"⚡ The last 2 answers: p50 [\d.]+ s · p95 [\d.]+ s · p99 [\d.]+ s", after)
    assert refused == "Chỉ quản trị viên của bot mới làm được việc này."


async def test_figures_tell_nothing_of_what_people_keep_for_themselves(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    admin = playground.user(ADMIN, "Ada", "en")
    keep_for_oneself(settings, "tiger")
    async with run_bot(admin_ids=(ADMIN,)):
        text = await ask(admin, playground)
    assert "🗂 12 pictures in 2 categories" in text


async def test_empty_library_has_figures_too(
    run_bot: RunBot, playground: Playground, tmp_path: Path
) -> None:
    admin = playground.user(ADMIN, "Ada", "vi")
    async with run_bot(admin_ids=(ADMIN,), data_dir=tmp_path / "nothing"):
        text = await ask(admin, playground)
    assert "🗂 0 ảnh trong 0 danh mục" in text
    assert text.startswith("📊 Đã chạy được 0 phút")


async def test_library_that_another_program_writes_is_told_of(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    admin = playground.user(ADMIN, "Ada", "en")
    lock = OwnerLock(settings.data_dir)
    lock.acquire()
    try:
        async with run_bot(admin_ids=(ADMIN,)):
            text = await ask(admin, playground)
    finally:
        lock.release()
    assert "⚠️ Another program is writing the library" in text
    assert "🗂 18 pictures" in text


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", [
            "📊 Running for 3 days 4 hours",
            "🗂 1,234 pictures in 60 categories",
            "👯 Near-duplicates: 3",
            "💾 Pictures take 123 MB, the index 5.4 GB",
            "⚠️ Not finished: 2",
            "🧠 clip on cpu, 512 dimensions",
            "Embedded: 1,000 of 1,234",
            "⏳ Waiting: 3 · being answered: 1",
            "⚡ The last 128 answers: p50 0.42 s · p95 1.50 s · p99 12 s",
            "💽 12.3 GB of 500 GB free",
        ]),
        ("vi", [
            "📊 Đã chạy được 3 ngày 4 giờ",
            "🗂 1.234 ảnh trong 60 danh mục",
            "👯 Ảnh gần trùng nhau: 3",
            "💾 Ảnh chiếm 123 MB, chỉ mục chiếm 5,4 GB",
            "🧠 clip trên cpu, 512 chiều",
            "⚡ 128 câu trả lời gần nhất: p50 0,42 giây · p95 1,50 giây · p99 12 giây",
            "💽 Ổ đĩa còn trống 12,3 GB trên 500 GB",
        ]),
    ],
)  # fmt: skip
def test_figures_are_put_into_words(language: str, lines: list[str]) -> None:
    said = in_words(FIGURES, Translator(language)).splitlines()
    assert [line for line in lines if line not in said] == []


def test_what_cannot_be_had_is_said() -> None:
    say = Translator("en")
    trouble = StoreError("?", key="store_broken")
    broken = in_words(replace(FIGURES, library=None, trouble=trouble, encoder=None), say)
    assert "⚠️ Library: The library is out of order" in broken
    assert "🧠" not in broken
    absent = in_words(replace(FIGURES, encoder=EncoderState("clip", is_loaded=False)), say)
    assert "🧠 clip, not loaded" in absent


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (59, "0 minutes"),
        (60, "1 minute"),
        (3600, "1 hour"),
        (3660, "1 hour 1 minute"),
        (86_400, "1 day"),
        (90_061, "1 day 1 hour"),
    ],
)
def test_uptime_names_the_two_largest_units(seconds: float, words: str) -> None:
    said = in_words(replace(FIGURES, uptime_s=seconds), Translator("en"))
    assert said.splitlines()[0] == f"📊 Running for {words}"
