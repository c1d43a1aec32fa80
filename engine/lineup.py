"""Line-ups: one question answered by several metrics, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.errors import EncoderUnavailableError
from engine.metrics import METRICS, metric_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.search import Match, Query, Search


@dataclass(frozen=True, slots=True)
class Answer:
    """What one metric finds."""

    metric: str
    matches: list[Match]


def line_up(search: Search, query: Query, metrics: Sequence[str] | None = None) -> list[Answer]:
    """Answer a question by several metrics.

    Args:
        search: Over the library that is asked.
        query: The question; its own metric does not matter.
        metrics: Names or aliases, in order; one named twice counts once. None for all that the
            library can be asked by: those on pixels alone where there is no encoder, or none of
            them for words.

    Returns:
        An answer for each metric, with the matches that `Search.run` gives for it.

    Raises:
        EncoderUnavailableError: A `clip` metric was asked for by name, or the question is in words,
            and the encoder cannot be loaded.
        UnknownMetricError: No metric has one of the names.
        LookalikeError: Whatever else `Search.run` says to the question.
    """
    names = list(METRICS)
    if metrics is not None:
        names = list(dict.fromkeys(metric_named(name).name for name in metrics))
    answers: list[Answer] = []
    lacks_encoder = False
    for name in names:
        is_pixels = METRICS[name].space == "pixels"
        if (is_pixels and query.text and metrics is None) or (lacks_encoder and not is_pixels):
            continue
        try:
            answers.append(Answer(name, search.run(replace(query, metric=name))))
        except EncoderUnavailableError:
            if metrics is not None or query.text:
                raise
            lacks_encoder = True
    return answers
