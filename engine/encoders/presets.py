"""The encoders with a name of their own: what they are, what they cost, what they read."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Preset:
    """A model that `ENCODER` names by one word.

    Args:
        name: That word.
        model: The model's name in open_clip.
        tag: Which of its weights.
        megabytes: Size of the download.
        licence: Licence of the weights.
        languages: What its text side reads, as a person would say it.
        reads: The same as codes, of the languages that the program tells apart.
        needs_transformers: Whether its tokenizer needs the extra package `transformers`.
    """

    name: str
    model: str
    tag: str
    megabytes: int
    licence: str
    languages: str
    reads: frozenset[str]
    needs_transformers: bool = False

    @property
    def spec(self) -> str:
        """The same model written out."""
        return f"open_clip:{self.model}/{self.tag}"


_ENGLISH = frozenset({"en"})

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset("clip", "ViT-B-32-256", "datacomp_s34b_b86k", 605, "MIT", "English", _ENGLISH),
            Preset(
                "clip-fast",
                "MobileCLIP2-S0",
                "dfndr2b",
                299,
                "apple-amlr (research only)",
                "English",
                _ENGLISH,
            ),
            Preset(
                "clip-multilingual",
                "ViT-B-32-SigLIP2-256",
                "webli",
                1508,
                "Apache-2.0",
                "many, Vietnamese among them",
                frozenset({"en", "vi"}),
                needs_transformers=True,
            ),
        )
    }
)
