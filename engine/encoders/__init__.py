"""Encoders: networks that turn pictures, and some of them words, into vectors to compare.

Importing this package loads no network library; see `LazyEncoder`.
"""

from engine.encoders.encoder import Encoder
from engine.encoders.lazy import LazyEncoder, encoder_from
from engine.encoders.presets import PRESETS, Preset

__all__ = ["PRESETS", "Encoder", "LazyEncoder", "Preset", "encoder_from"]
