"""Procedural pictures for the demo: drawn from a topic and a seed, with captions."""

from engine.drawings.gallery import (
    GALLERY_SEED,
    HELD_OUT_SEED,
    TOPICS,
    TRAINING_SEED,
    Drawing,
    draw,
    write_gallery,
)

__all__ = [
    "GALLERY_SEED",
    "HELD_OUT_SEED",
    "TOPICS",
    "TRAINING_SEED",
    "Drawing",
    "draw",
    "write_gallery",
]
