"""A crowd at once: forty people with three photos each, while a tenth of all calls fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure
from bot.playground import running_playground
from engine.drawings import TOPICS, draw

if TYPE_CHECKING:
    from bot.playground import Playground, User

PEOPLE = 40
PHOTOS = 3
PICTURES = 60
TROUBLE = 0.10


def measure(folder: Path, pictures: int) -> list[Figure]:  # noqa: ARG001 - every group takes both
    """Seconds from the first photo to the last of 120 answers, with and without trouble."""
    gallery = folder / "crowd"
    for number in range(PICTURES):
        topic = TOPICS[number % len(TOPICS)]
        path = gallery / topic / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(topic, number).image.save(path)
    command = str(Path(sys.executable).with_name("lookalike"))
    environment = os.environ | {"DATA_DIR": str(folder / "crowd-data"), "ENCODER": "none"}
    subprocess.run([command, "index", gallery], env=environment, check=True, capture_output=True)
    photos = [path.read_bytes() for path in sorted(gallery.rglob("*.jpg"))[:PHOTOS]]
    calm = _seconds(command, environment, photos, trouble=0.0)
    troubled = _seconds(command, environment, photos, trouble=TROUBLE)
    return [
        Figure(
            f"{PEOPLE} chats × {PHOTOS} photos, {TROUBLE:.0%} of calls failing: all answered",
            troubled,
            "s",
            10.0,
            "smaller",
            f"{PEOPLE * PHOTOS} albums and messages; {calm:.1f} s when nothing fails",
        )
    ]


def _seconds(
    command: str, environment: dict[str, str], photos: list[bytes], *, trouble: float
) -> float:
    # Another bot each time: this one's data remember which updates were answered.
    token = f"{time.time_ns() // 1_000_000}:crowd"
    with running_playground(token=token) as playground:
        names = {"TELEGRAM_TOKEN": playground.token, "TELEGRAM_API_URL": playground.url}
        bot = subprocess.Popen([command, "bot"], env=environment | names)
        try:
            people = [playground.user(n, f"Person {n}", "en") for n in range(1, PEOPLE + 1)]
            people[0].send_photo(photos[0])
            playground.wait_until(lambda: _answers(playground, people) >= 1, 60)
            playground.faults.share(trouble, seed=1)
            began = time.perf_counter()
            for photo in photos:
                for person in people:
                    person.send_photo(photo)
            wanted = PEOPLE * PHOTOS + 1
            playground.wait_until(lambda: _answers(playground, people) >= wanted, 300)
            return time.perf_counter() - began
        finally:
            bot.terminate()
            bot.wait(timeout=30)


def _answers(playground: Playground, people: list[User]) -> int:
    messages = (message for each in people for message in playground.answers(each.id))
    return sum("reply_markup" in message for message in messages)
