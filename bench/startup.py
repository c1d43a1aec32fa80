"""How soon the program answers: `lookalike --help`, and `/start` after the bot's process begins."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import Figure, seconds
from bot.playground import running_playground

ROUNDS = 5


def measure(folder: Path, pictures: int) -> list[Figure]:  # noqa: ARG001 - every group takes both
    """Seconds of `lookalike --help`, and from the start of the bot to its first answer."""
    command = Path(sys.executable).with_name("lookalike")
    subprocess.run(
        [command, "--help"], check=True, capture_output=True
    )  # byte code is compiled once
    bare = statistics.median(
        seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True))
        for _ in range(ROUNDS)
    )
    shown = statistics.median(
        seconds(lambda: subprocess.run([command, "--help"], check=True, capture_output=True))
        for _ in range(ROUNDS)
    )
    answered = statistics.median(_seconds_to_start(folder / f"start-{n}") for n in range(ROUNDS))
    return [
        Figure("lookalike --help", shown, "s", 0.3, "smaller", f"bare interpreter {bare:.3f} s"),
        Figure(
            "/start answered after exec",
            answered,
            "s",
            2.0,
            "smaller",
            f"median of {ROUNDS} starts",
        ),
    ]


def _seconds_to_start(data_dir: Path) -> float:
    with running_playground() as playground:
        user = playground.user(1, "Sam", language_code="en")
        user.send_text("/start")
        environment = os.environ | {
            "TELEGRAM_TOKEN": playground.token,
            "TELEGRAM_API_URL": playground.url,
            "DATA_DIR": str(data_dir),
            "ENCODER": "none",
        }
        began = time.perf_counter()
        bot = subprocess.Popen(
            [Path(sys.executable).with_name("lookalike"), "bot"], env=environment
        )
        try:
            playground.wait_for(1, lambda message: message.get("text"), timeout=30)
            return time.perf_counter() - began
        finally:
            bot.terminate()
            bot.wait(timeout=15)
