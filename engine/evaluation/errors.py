"""What can make an evaluation impossible, in words."""

from __future__ import annotations

from engine.errors import LookalikeError


class EvaluationError(LookalikeError):
    """There is nothing to evaluate: no pictures, no two of one category, or no metric."""


def no_counterparts() -> EvaluationError:
    """The error where no question could be answered rightly."""
    return EvaluationError(
        "There is nothing to evaluate: it takes categories (sub-folders) with pictures to ask with "
        "and others to find.",
        key="evaluate_nothing",
    )


def nothing_to_compare() -> EvaluationError:
    """The error where only embeddings were wanted and there are none."""
    return EvaluationError(
        "No metric is left to evaluate: clip metrics need an encoder (ENCODER), and in a library "
        "one that has seen its pictures.",
        key="evaluate_no_metric",
    )
