"""Resident memory of the bot while pictures are indexed beside it, and after."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from bench.figures import Figure
from bot.demo import demo_encoder
from bot.playground import running_playground

MEASURE_EVERY_S = 1.0
PER_FOLDER = 1_000


def measure(folder: Path, pictures: int) -> list[Figure]:
    """The bot answers photos all the while: MB before, at the most during, and after."""
    gallery = folder / "many"
    _write_pictures(gallery, pictures)
    command = str(Path(sys.executable).with_name("lookalike"))
    with running_playground() as playground:
        environment = os.environ | {
            "TELEGRAM_TOKEN": playground.token,
            "TELEGRAM_API_URL": playground.url,
            "DATA_DIR": str(folder / "memory"),
            "ENCODER": f"open_clip:local-dir:{demo_encoder()}",
        }
        first = next(gallery.rglob("*.jpg"))
        subprocess.run([command, "index", str(first)], env=environment, check=True)
        began = time.perf_counter()
        index = subprocess.Popen(
            [command, "index", str(gallery)], env=environment, stdout=subprocess.DEVNULL
        )
        time.sleep(3)  # the index run is the library's owner; the bot reads beside it
        bot = subprocess.Popen([command, "bot"], env=environment)
        try:
            user = playground.user(1, "Sam", language_code="en")
            process = psutil.Process(bot.pid)
            user.send_photo(first.read_bytes())
            playground.wait_for(1, lambda message: "photo" in message, timeout=60)
            before = process.memory_info().rss
            peak = before
            while index.poll() is None:
                user.send_photo(first.read_bytes())
                time.sleep(MEASURE_EVERY_S)
                peak = max(peak, process.memory_info().rss)
            taken = time.perf_counter() - began
            user.send_photo(first.read_bytes())
            time.sleep(5)
            after = process.memory_info().rss
        finally:
            for child in (index, bot):
                child.terminate()
                child.wait(timeout=30)
    said = f"{pictures:,} pictures indexed in {taken:.0f} s beside it"
    return [
        Figure("bot's memory before indexing", before / 2**20, "MB", detail="encoder loaded"),
        Figure("bot's memory while indexing, at most", peak / 2**20, "MB", detail=said),
        Figure("bot's memory after indexing", after / 2**20, "MB", detail="shared pages included"),
    ]


def _write_pictures(gallery: Path, pictures: int) -> None:
    """Small distinct JPEGs, quick to make: enlarged colour noise."""
    rng = np.random.default_rng(8)
    for start in range(0, pictures, PER_FOLDER):
        topic = gallery / f"noise-{start // PER_FOLDER:03d}"
        topic.mkdir(parents=True)
        coarse = rng.integers(0, 256, (min(PER_FOLDER, pictures - start), 6, 6, 3), dtype=np.uint8)
        for number, pixels in enumerate(coarse):
            buffer = io.BytesIO()
            Image.fromarray(pixels).resize((96, 96), Image.Resampling.BICUBIC).save(buffer, "JPEG")
            (topic / f"{number:04d}.jpg").write_bytes(buffer.getvalue())
