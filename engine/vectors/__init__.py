"""Embeddings: an exact matrix beside a Chroma collection, one pair for each encoder."""

from engine.vectors.store import Vectors

__all__ = ["Vectors"]
