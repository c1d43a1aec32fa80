"""Indexing beside the encoder's bare batched speed and beside Chroma's own embedding function."""

from __future__ import annotations

import shutil
import statistics
from typing import TYPE_CHECKING

import numpy as np

from bench.figures import Figure, seconds
from bench.models import random_clip
from engine.config import load_settings
from engine.drawings import write_gallery
from engine.encoders import encoder_from
from engine.images import open_image
from engine.library import Library

if TYPE_CHECKING:
    from pathlib import Path

    from engine.encoders import Encoder

MODEL = "ViT-B-32"
PER_TOPIC = 24
ROUNDS = 3
PEER_PICTURES = 48


def measure(folder: Path, pictures: int) -> list[Figure]:  # noqa: ARG001 - every group takes both
    """Share of the bare encoder's speed that an index run reaches, and its lead over Chroma's."""
    gallery = folder / "gallery"
    write_gallery(gallery, PER_TOPIC)
    files = sorted(gallery.rglob("*.jpg"))
    model = random_clip(folder / "model", MODEL)
    settings = load_settings(data_dir=folder / "library", encoder=f"open_clip:local-dir:{model}")
    lazy = encoder_from(settings)
    if lazy is None:
        raise RuntimeError("the benchmark needs an encoder")
    encoder = lazy.load()
    crops = np.stack([encoder.prepare(open_image(file)) for file in files])
    prepared = np.split(crops, range(encoder.max_rows, len(crops), encoder.max_rows))

    def bare() -> None:
        for batch in prepared:
            encoder.embed_prepared(batch)

    bare()
    bare_s, index_s = [], []
    for n in range(ROUNDS):
        bare_s.append(seconds(bare))
        data_dir = folder / f"library-{n}"
        fresh = settings.model_copy(update={"data_dir": data_dir})
        with Library.open(fresh, write=True) as library:
            loaded(library).embed_prepared(prepared[0])
            index_s.append(seconds(lambda lib=library: lib.index([gallery])))
        shutil.rmtree(data_dir)
    bare_speed = len(files) / statistics.median(bare_s)
    index_speed = len(files) / statistics.median(index_s)
    peer_speed = _chroma_speed(folder, files[:PEER_PICTURES], model)
    return [
        Figure(
            f"indexing, {MODEL}: share of the bare encoder's speed",
            100 * statistics.median(b / i for b, i in zip(bare_s, index_s, strict=True)),
            "%",
            85,
            detail=f"{index_speed:.1f} of {bare_speed:.1f} pictures/s",
        ),
        Figure(
            f"indexing, {MODEL}: faster than Chroma's OpenCLIPEmbeddingFunction + add",
            index_speed / peer_speed,
            "×",
            4,
            detail=f"Chroma's way: {peer_speed:.1f} pictures/s",
        ),
    ]


def loaded(library: Library) -> Encoder:
    """The library's encoder, ready for use."""
    encoder = library.stores.load_encoder()
    if encoder is None:
        raise RuntimeError("the benchmark needs an encoder")
    return encoder


def _chroma_speed(folder: Path, files: list[Path], model: Path) -> float:
    import chromadb
    from chromadb.utils.data_loaders import ImageLoader
    from chromadb.utils.embedding_functions.open_clip_embedding_function import (
        OpenCLIPEmbeddingFunction,
    )

    embed = OpenCLIPEmbeddingFunction(MODEL, str(model / "open_clip_model.safetensors"))
    client = chromadb.PersistentClient(str(folder / "peer"))
    collection = client.create_collection(
        "peer", embedding_function=embed, data_loader=ImageLoader()
    )
    collection.add(ids=["warm-up"], uris=[str(files[0])])
    taken = seconds(
        lambda: collection.add(
            ids=[str(n) for n in range(len(files))], uris=[str(file) for file in files]
        )
    )
    return len(files) / taken
