"""One question against many vectors beside bare encoding; many at once beside one after another."""

from __future__ import annotations

import io
import statistics
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from bench.figures import Figure, alternated, seconds
from bench.indexing import MODEL, loaded
from bench.models import random_clip
from bench.pixels import synthetic_thumbnails
from engine.catalog import Photo
from engine.config import load_settings
from engine.drawings import TOPICS, draw
from engine.files import FileState
from engine.library import Library
from engine.search import Query, Search
from engine.stores import Batch

if TYPE_CHECKING:
    from pathlib import Path

    from engine.encoders import Encoder

ROUNDS = 15
AT_ONCE = 32
CHUNK = 5_000


def measure(folder: Path, pictures: int) -> list[Figure]:
    """Cost of a question over `pictures` vectors, and the throughput of 32 at once."""
    model = random_clip(folder / "model", MODEL)
    settings = load_settings(
        data_dir=folder / "questions", encoder=f"open_clip:local-dir:{model}", metric="clip"
    )
    with Library.open(settings, write=True) as library:
        encoder = loaded(library)
        fill(library, encoder.dimension, pictures, folder)
        search = Search(library)
        photos = [_jpeg(seed) for seed in range(ROUNDS * 2 + AT_ONCE * 3)]
        asked = iter(photos)

        def ask(photo: bytes) -> None:
            if len(search.run(Query(images=(search.open_query(photo),), topk=5))) != 5:
                raise RuntimeError("a question went unanswered")

        ask(photos[-1])
        bare, whole = [], []
        for _ in range(ROUNDS):
            bare.append(_bare(encoder, search, next(asked)))
            whole.append(seconds(lambda: ask(next(asked))))
        one_by_one = [next(asked) for _ in range(AT_ONCE)]
        at_once = [next(asked) for _ in range(AT_ONCE)]
        in_turn_s = seconds(lambda: [ask(photo) for photo in one_by_one])
        crops = np.stack([encoder.prepare(search.open_query(photo)) for photo in at_once])
        [batched_s] = alternated(3, lambda: encoder.embed_prepared(crops))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            together_s = seconds(lambda: list(pool.map(ask, at_once)))
    bare_s, whole_s = statistics.median(bare), statistics.median(whole)
    return [
        Figure(
            f"one question, {pictures:,} vectors: cost beside bare encoding",
            whole_s / bare_s,
            "×",
            1.3,
            "smaller",
            f"{whole_s * 1e3:.1f} ms against {bare_s * 1e3:.1f} ms",
        ),
        Figure(
            f"{AT_ONCE} questions at once: throughput beside one after another",
            in_turn_s / together_s,
            "×",
            3,
            detail=f"{AT_ONCE / together_s:.1f}/s against {AT_ONCE / in_turn_s:.1f}/s",
        ),
        Figure(
            "what batches alone can gain: the bare encoder's, of the same pictures",
            in_turn_s / batched_s,
            "×",
            detail=f"{AT_ONCE / batched_s:.1f}/s without decoding, search or facts",
        ),
    ]


def fill(library: Library, dimension: int, pictures: int, folder: Path) -> None:
    """Store made-up pictures: random thumbnails, and unit vectors around 1,000 centres."""
    rng = np.random.default_rng(6)
    centres = rng.standard_normal((1_000, dimension))
    original = folder / "original.jpg"
    original.write_bytes(_jpeg(0))
    links = folder / "links"
    links.mkdir()
    for start in range(0, pictures, CHUNK):
        count = min(CHUNK, pictures - start)
        ids = [f"{(start + n + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}" for n in range(count)]
        vectors = centres[rng.integers(0, 1_000, count)] + rng.standard_normal((count, dimension))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        thumbs = synthetic_thumbnails(count, seed=start)
        batch = Batch()
        for image_id, vector, thumb in zip(ids, vectors.astype(np.float32), thumbs, strict=True):
            path = links / f"{image_id}.jpg"
            path.symlink_to(original)
            batch.photos.append(
                Photo(id=image_id, category=image_id[:2], path=path, width=320, height=320, phash=0)
            )
            batch.files.append(
                FileState(path=path, image_id=image_id, category=image_id[:2], size=1, mtime_ns=1)
            )
            batch.thumbs[image_id] = thumb
            batch.vectors[image_id] = vector
        library.stores.put(batch)


def _bare(encoder: Encoder, search: Search, photo: bytes) -> float:
    prepared = encoder.prepare(search.open_query(photo))[None]
    return seconds(lambda: encoder.embed_prepared(prepared))


def _jpeg(seed: int) -> bytes:
    buffer = io.BytesIO()
    drawing = draw(TOPICS[seed % len(TOPICS)], 50_000 + seed)
    drawing.image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
