"""What can make an evaluation impossible, in words."""

from __future__ import annotations

from engine.errors import LookalikeError


class EvaluationError(LookalikeError):
    """There is nothing to evaluate: no pictures, or no two of one category."""


def no_counterparts() -> EvaluationError:
    """The error where no question could be answered rightly."""
    return EvaluationError(
        "There is nothing to evaluate: it takes categories (sub-folders) with pictures to ask with "
        "and others to find.",
        key="evaluate_nothing",
    )
