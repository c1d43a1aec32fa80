"""The bot as a process of its own: killed, stopped, started again, and talking to bad servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bot.conftest import draw

if TYPE_CHECKING:
    from bot.playground import Playground, User
    from engine.config import Settings

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[..., AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture
def start(settings: Settings, playground: Playground, tmp_path: Path) -> Start:
    """Start `lookalike bot`; its log goes to `bot.log`."""

    @contextmanager
    def run(**environment: str) -> Iterator[subprocess.Popen[str]]:
        known = {
            "TELEGRAM_TOKEN": playground.token,
            "TELEGRAM_API_URL": playground.url,
            "DATA_DIR": str(settings.data_dir),
            "ENCODER": "none",
            "TOPK": "3",
            "OMP_NUM_THREADS": "1",
        }
        with (tmp_path / "bot.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "bot"],
                env={**os.environ, **known, **environment},
                cwd=ROOT,
                stderr=log,
                text=True,
            )
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.terminate()
                process.wait(15)

    return run


def ask(users: list[User]) -> None:
    for turn in range(3):
        for user in users:
            user.send_photo(draw("tiger", turn))


def answered(playground: Playground, users: list[User]) -> int:
    return sum("reply_markup" in m for user in users for m in playground.answers(user.id))


def wait_until_answered(playground: Playground, users: list[User], count: int) -> None:
    playground.wait_until(lambda: answered(playground, users) >= count, 40)


def each_answered_once(playground: Playground, users: list[User]) -> None:
    for user in users:
        ranks = [m["caption"][:2] for m in playground.answers(user.id) if "photo" in m]
        assert ranks == ["#1", "#2", "#3"] * 3, user.id
        texts = [m["text"] for m in playground.answers(user.id) if "text" in m]
        assert len(texts) == 3, texts


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_bot_stopped_in_the_middle_answers_the_rest_after_its_restart_and_none_twice(
    start: Start, playground: Playground, how: signal.Signals
) -> None:
    users = [playground.user(number, "Sam", "en") for number in range(1, 6)]
    playground.faults.share(0.1, seed=3)
    with start() as process:
        ask(users)
        wait_until_answered(playground, users, 4)
        began = time.monotonic()
        process.send_signal(how)
        assert process.wait(30) == (0 if how == signal.SIGTERM else -how)
        assert time.monotonic() - began < 20, "ten seconds, on a machine that may be busy"
    with start():
        wait_until_answered(playground, users, 15)
        time.sleep(1.0)
    each_answered_once(playground, users)


def test_start_sent_before_the_process_starts_is_answered(
    start: Start, playground: Playground
) -> None:
    user = playground.user(1, "Linh", "vi")
    sent = user.send_text("/start")
    with start():
        answer = playground.wait_for(1, after=sent["message_id"], timeout=20)
    assert "Xin chào" in answer["text"]


def test_token_is_in_no_log_while_the_server_fails_in_every_way(
    start: Start, playground: Playground, tmp_path: Path
) -> None:
    user = playground.user(1, "Sam", "en")
    with start(LOG_LEVEL="DEBUG"):
        playground.faults.share(0.3, seed=5)
        sent = user.send_photo(draw("sky", 0))
        playground.wait_for(1, lambda m: "text" in m, 40, after=sent["message_id"])
        playground.close()
        time.sleep(0.5)
    log = (tmp_path / "bot.log").read_text()
    assert log
    assert playground.token not in log
    assert playground.token.partition(":")[2] not in log


def test_server_that_is_not_there_yet_is_waited_for(
    start: Start, playground: Playground, tmp_path: Path
) -> None:
    playground.close()
    with start() as process:
        deadline = time.monotonic() + 15
        while "cannot be reached" not in (tmp_path / "bot.log").read_text():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_wrong_token_is_one_line_and_exit_code_one(start: Start, tmp_path: Path) -> None:
    with start(TELEGRAM_TOKEN="1234:wrong") as process:
        assert process.wait(20) == 1
    lines = (tmp_path / "bot.log").read_text().splitlines()
    assert sum("BotFather" in line for line in lines) == 1
    assert "Traceback" not in "".join(lines)
