"""Evaluating pixel metrics at 448×448: beside a notebook's formula, and in how much memory."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bench.figures import Figure, seconds
from engine.evaluation.evaluating import evaluate_library
from engine.evaluation.rows import BLOCK_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.metrics import Formula

SIDE = 448
CATEGORIES = 60
GALLERY = 595
FORMULAS: tuple[Formula, ...] = ("l1", "l2", "cosine", "correlation")
PLAIN_QUERIES = 2
"""Queries that the plain formula is given; its time is scaled to all of them."""

# Memory is asked of a process of its own, which has done a small evaluation before: what imports,
# compiled loops and thread stacks take is not the evaluation's.
CHILD = """
import json, resource, sys, time
from pathlib import Path
from engine.evaluation.evaluating import evaluate_folders
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
def run(folder):
    return evaluate_folders(folder / "train", folder / "test", metrics=sys.argv[3:], sizes=[448])
run(Path(sys.argv[1]))
before, start = peak(), time.perf_counter()
found = run(Path(sys.argv[2]))
took = time.perf_counter() - start
print(json.dumps({"seconds": took, "bytes": peak() - before, "queries": len(found.trial.queries)}))
"""


def measure(folder: Path, pictures: int) -> list[Figure]:
    """All four metrics over 595 pictures and 60 queries; and a library of `pictures`."""
    whole, small = folder / "evaluated", folder / "evaluated-small"
    write_pictures(whole, GALLERY, CATEGORIES)
    write_pictures(small, 4, 2)
    command = [sys.executable, "-c", CHILD, str(small), str(whole), *FORMULAS]
    child = subprocess.run(command, check=True, capture_output=True, text=True)
    ours = json.loads(child.stdout)
    queries = sorted((whole / "test").rglob("*.jpg"))[:PLAIN_QUERIES]
    files = sorted((whole / "train").rglob("*.jpg"))
    taken = seconds(lambda: [plain(f, query, files) for query in queries for f in FORMULAS])
    all_taken = taken * ours["queries"] / len(queries)
    return [
        Figure(
            "evaluating pixels at 448×448: faster than decoding everything for every query",
            all_taken / ours["seconds"],
            "×",
            100,
            detail=f"{ours['seconds']:.1f} s; plain {all_taken:.0f} s, from {len(queries)} queries",
        ),
        Figure(
            "evaluating pixels at 448×448: memory beyond a small evaluation's",
            ours["bytes"] / 2**20,
            "MB",
            BLOCK_BYTES / 2**20,
            "smaller",
            f"the gallery alone is {GALLERY * SIDE * SIDE * 3 / 2**20:.0f} MB; the goal is a block",
        ),
        library_time(folder / "evaluated-library", pictures),
    ]


def plain(formula: Formula, query: Path, files: list[Path]) -> NDArray[np.intp]:
    """A query's ranking as a notebook computes it: every file opened, compared, and sorted."""
    asked = _read(query)
    found = []
    for file in files:
        row = _read(file)
        if formula == "l1":
            found.append(np.abs(row - asked).sum())
        elif formula == "l2":
            found.append(np.sqrt(((row - asked) ** 2).sum()))
        else:
            a, b = (asked, row) if formula == "cosine" else (asked - asked.mean(), row - row.mean())
            found.append(-(a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)))
    return np.argsort(found, kind="stable")


def library_time(folder: Path, pictures: int) -> Figure:
    """How long an evaluation of a whole library takes by the four pixel metrics."""
    from bench.pixels import synthetic_thumbnails
    from engine.catalog import Photo
    from engine.config import load_settings
    from engine.library import Library

    ids = [f"{number + 1:016x}" for number in range(pictures)]
    settings = load_settings(data_dir=folder, encoder="none")
    with Library.open(settings, write=True) as library:
        for start in range(0, pictures, 5_000):
            part = ids[start : start + 5_000]
            library.thumbnails.add(part, synthetic_thumbnails(len(part), start + 1))
        library.catalog.add_pending(
            Photo(name, f"category {at % 100}", 640, 480, 0) for at, name in enumerate(ids)
        )
        library.catalog.mark_ready(ids)
        found = []
        taken = seconds(lambda: found.append(evaluate_library(library)))
    asked = len(found[0].trial.queries) if found[0] else 0
    return Figure(
        f"evaluating a library of {pictures:,} by pixels",
        taken,
        "s",
        60,
        "smaller",
        f"{asked} queries in that time",
    )


def write_pictures(folder: Path, gallery: int, categories: int) -> None:
    """JPEGs of 256×192, enlarged noise: `gallery` to find and one of each category to ask with."""
    rng = np.random.default_rng(4)
    for number in range(gallery + categories):
        part = "train" if number < gallery else "test"
        place = folder / part / f"category-{number % categories:02d}"
        place.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(coarse).resize((256, 192), Image.Resampling.BICUBIC).save(buffer, "JPEG")
        (place / f"{number:04d}.jpg").write_bytes(buffer.getvalue())


def _read(path: Path) -> NDArray[np.float32]:
    with Image.open(path) as image:
        small = image.convert("RGB").resize((SIDE, SIDE))
        return np.asarray(small, dtype=np.float32)
