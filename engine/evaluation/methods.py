"""Methods: what is held against each other, a metric on one kind of rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.metrics import METRICS, metric_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.metrics import Metric

CHROMA = "chroma"
"""Name of the approximate search among the metrics to evaluate."""
CHOICES: tuple[str, ...] = (*METRICS, CHROMA)


@dataclass(frozen=True, slots=True)
class Method:
    """A metric on thumbnails of one size, or on the embeddings of one encoder.

    Attributes:
        metric: The formula and what it compares.
        size: Side of the thumbnails in pixels; None for embeddings.
        encoder: As in the setting ENCODER; None for pixels.
        is_approximate: Chroma's index answers instead of a comparison with everything.
    """

    metric: Metric
    size: int | None = None
    encoder: str | None = None
    is_approximate: bool = False

    @property
    def name(self) -> str:
        """Short name of the way of comparing: `l1`, `clip-l2`, `chroma`."""
        return CHROMA if self.is_approximate else self.metric.name

    @property
    def rows(self) -> str:
        """What is compared: `80 px`, or the encoder in short."""
        return f"{self.size} px" if self.encoder is None else short_name(self.encoder)

    @property
    def label(self) -> str:
        """Name and rows, as a table has them: `l1 · 80 px`."""
        return f"{self.name} · {self.rows}"

    @property
    def slug(self) -> str:
        """The label as part of a file's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.label.lower()).strip("-")


def chosen(metrics: Iterable[str]) -> tuple[str, ...]:
    """The names meant, each once and in the usual order.

    Args:
        metrics: Metrics' names and aliases, `chroma`, or `all`.

    Raises:
        UnknownMetricError: A name is none of these.

    >>> chosen(["euclidean", "l1"])
    ('l1', 'l2')
    """
    wanted: set[str] = set()
    for given in metrics:
        name = given.strip().lower()
        if name == "all":
            wanted.update(CHOICES)
        else:
            wanted.add(name if name == CHROMA else metric_named(name).name)
    return tuple(name for name in CHOICES if name in wanted)


def methods_of(
    names: Sequence[str], sizes: Sequence[int], encoders: Sequence[str]
) -> tuple[Method, ...]:
    """Every method that these metrics make of these sizes and encoders.

    Args:
        names: From `chosen`.
        sizes: Sides of thumbnails, for pixel metrics.
        encoders: As in the setting ENCODER, for embedding metrics.
    """
    exact = [METRICS[name] for name in names if name != CHROMA]
    pixels = [
        Method(metric, size=size) for size in sizes for metric in exact if metric.space == "pixels"
    ]
    embeddings = [
        method
        for encoder in encoders
        for method in (
            *(Method(m, encoder=encoder) for m in exact if m.space == "embeddings"),
            *[Method(METRICS["clip"], encoder=encoder, is_approximate=True)][: CHROMA in names],
        )
    ]
    return (*pixels, *embeddings)


def short_name(encoder: str) -> str:
    """An encoder's name without its family and folders.

    >>> short_name("timm:local-dir:models/mobilenetv2-imagenet")
    'mobilenetv2-imagenet'
    >>> short_name("open_clip:RN50/openai")
    'RN50/openai'
    """
    name = encoder.partition(":")[2] or encoder
    if name.startswith("local-dir:"):
        return Path(name.removeprefix("local-dir:")).name or name
    return name
