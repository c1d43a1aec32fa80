"""/evaluate: the library examined in the background, told once, ended by its button."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground import Playground, User
    from tests.bot.conftest import RunBot

ADMIN = 9


@pytest.fixture
def admin(playground: Playground) -> User:
    return playground.user(ADMIN, "Ada", "en")


async def told(playground: Playground, text: str, *, after: int = 0) -> dict[str, Any]:
    return await playground.until(
        ADMIN, lambda m: text in m.get("text", "") + m.get("caption", ""), 30, after=after
    )


async def test_table_and_chart_of_the_library(
    run_bot: RunBot, playground: Playground, admin: User
) -> None:
    async with run_bot(admin_ids=(ADMIN,)):
        sent = await asyncio.to_thread(admin.send_text, "/evaluate")
        chart = await told(playground, "How often the first answer", after=sent["message_id"])
        table = await told(playground, "top-1")
        some = await asyncio.to_thread(admin.send_text, "/evaluate l1, correlation")
        await told(playground, "How often the first answer", after=some["message_id"])
        short = await told(playground, "top-1", after=some["message_id"])
    lines = table["text"].splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["l1", "l2", "cosine", "correlation"]
    assert table["entities"][0]["type"] == "pre"
    assert chart["reply_to_message"]["message_id"] == table["message_id"]
    assert "reply_markup" not in table
    picture = Image.open(io.BytesIO(playground.file(chart["photo"][-1]["file_id"])))
    assert min(picture.size) > 300
    assert len(short["text"].splitlines()) == 3


async def test_button_ends_it_and_only_one_runs(
    run_bot: RunBot, playground: Playground, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_library: Any, *, stop: Any, progress: Any, **_: Any) -> None:
        progress(3, 40)
        assert stop.wait(20), "nobody ended it"

    monkeypatch.setattr("engine.evaluation.evaluating.evaluate_library", slow)
    async with run_bot(admin_ids=(ADMIN,)):
        await asyncio.to_thread(admin.send_text, "/evaluate")
        shown = await told(playground, "3 of 40 pictures")
        await asyncio.to_thread(admin.send_text, "/evaluate")
        await told(playground, "examined already")
        await asyncio.to_thread(admin.press, shown, "Cancel")
        await told(playground, "Stopped.")


async def test_wrong_ways_get_one_line(
    run_bot: RunBot, playground: Playground, admin: User, tmp_path: Path
) -> None:
    sam = playground.user(1, "Sam", "vi")
    async with run_bot(admin_ids=(ADMIN,), data_dir=tmp_path / "empty"):
        await asyncio.to_thread(admin.send_text, "/evaluate l9")
        await told(playground, "no metric called")
        await asyncio.to_thread(admin.send_text, "/evaluate")
        await told(playground, "nothing to evaluate")
        sent = await asyncio.to_thread(sam.send_text, "/evaluate")
        refused = await playground.until(1, after=sent["message_id"])
    assert refused["text"] == "Chỉ quản trị viên của bot mới làm được việc này."
