"""Pixel metrics over many thumbnails, beside numpy's formula, faiss flat and a plain read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from bench.figures import Figure, alternated
from engine.pixels import Thumbnails

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.metrics import Formula

SIDE = 64
WIDTH = SIDE * SIDE * 3
FORMULAS: tuple[Formula, ...] = ("l1", "l2", "cosine", "correlation")
PEERS = 10_000
"""Rows that the slow peers scan; their time is scaled to the whole gallery."""


def synthetic_thumbnails(count: int, seed: int) -> NDArray[np.uint8]:
    """(count, 64, 64, 3) pictures, blocky as photos are from afar: enlarged 8×8 noise and grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    fine = np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)
    return fine // 2 + rng.integers(0, 128, fine.shape, dtype=np.uint8)


def measure(folder: Path, pictures: int) -> list[Figure]:
    """Ratios for each formula, top 10 of `pictures` thumbnails."""
    thumbnails = filled(folder / "bench.thumbnails", pictures)
    query = synthetic_thumbnails(1, seed=9)[0]
    thumbnails.warm()
    rows = synthetic_thumbnails(min(PEERS, pictures), seed=1).reshape(-1, WIDTH)
    scale = pictures / len(rows)
    whole = thumbnails.rows.reshape(-1)
    figures = []
    [read] = alternated(5, lambda: _read(whole))
    for formula in FORMULAS:
        ours, naive = alternated(
            3,
            lambda f=formula: thumbnails.search(query, f, 10),
            lambda f=formula: _numpy(f, query, rows),
        )
        figures.append(
            Figure(
                f"pixels {formula}: faster than numpy's formula",
                naive * scale / ours,
                "×",
                10,
                detail=f"{ours * 1e3:.1f} ms for {pictures:,}; numpy {naive * scale * 1e3:.0f} ms",
            )
        )
        if formula in {"l1", "l2"}:
            index = _flat(formula, rows)
            vector = query.reshape(1, -1).astype(np.float32)
            [peer] = alternated(3, lambda i=index, v=vector: i.search(v, 10))
            figures.append(
                Figure(
                    f"pixels {formula}: faster than faiss flat",
                    peer * scale / ours,
                    "×",
                    2,
                    detail=f"faiss {peer * scale * 1e3:.0f} ms",
                )
            )
        figures.append(
            Figure(
                f"pixels {formula}: share of the plain read speed",
                100 * read / ours,
                "%",
                detail=f"plain read of {whole.nbytes / 1e9:.2f} GB: {read * 1e3:.0f} ms",
            )
        )
    return figures


def filled(path: Path, pictures: int) -> Thumbnails:
    """A thumbnail store at `path` with `pictures` synthetic pictures."""
    thumbnails = Thumbnails.open(path, side=SIDE, write=True)
    for start in range(0, pictures, 5_000):
        count = min(5_000, pictures - start)
        thumbnails.add(
            [f"{n + 1:016x}" for n in range(start, start + count)],
            synthetic_thumbnails(count, start + 1),
        )
    return thumbnails


def _read(data: NDArray[np.uint8]) -> None:
    """Touch every byte once, two threads: the least that a scan of everything could take."""
    words = data[: data.size // 16 * 16].view(np.uint64)
    halves = np.array_split(words, 2)
    threads = [threading.Thread(target=np.bitwise_or.reduce, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _numpy(formula: Formula, query: NDArray[np.uint8], rows: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The formula as a notebook writes it, in blocks of 1,000 rows, and a full sort."""
    a = query.reshape(-1).astype(np.float32)
    found = []
    for start in range(0, len(rows), 1_000):
        b = rows[start : start + 1_000].astype(np.float32)
        if formula == "l1":
            found.append(np.abs(b - a).sum(axis=1))
        elif formula == "l2":
            found.append(np.sqrt(((b - a) ** 2).sum(axis=1)))
        elif formula == "cosine":
            found.append(-(b @ a) / (np.linalg.norm(b, axis=1) * np.linalg.norm(a)))
        else:
            x, y = a - a.mean(), b - b.mean(axis=1, keepdims=True)
            found.append(-(y @ x) / (np.linalg.norm(y, axis=1) * np.linalg.norm(x)))
    return np.argsort(np.concatenate(found), kind="stable")[:10]


def _flat(formula: Formula, rows: NDArray[np.uint8]):  # noqa: ANN202 - faiss has no types
    import faiss

    index = faiss.IndexFlat(WIDTH, faiss.METRIC_L1 if formula == "l1" else faiss.METRIC_L2)
    index.add(rows.astype(np.float32))
    return index
