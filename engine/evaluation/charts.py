"""Charts of an evaluation: bars with intervals, curves, classes, speed against quality."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.evaluation.figure import LETTER, SERIES, Box, Dot, Figure, Path, Words, shortened
from engine.evaluation.measures import RECALL_LEVELS
from engine.evaluation.results import MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.evaluation.figure import Anchor
    from engine.evaluation.results import Evaluation, Outcome

WIDTH = 400.0
"""Narrow, so that letters are still read when a phone fits the figure to its screen."""
LABELS = 112.0
BAR = 20.0
HEADING = 26.0
MOST_CLASSES = 100
NEAR = 18.0
"""Dots so near each other have one label."""


def bars(evaluation: Evaluation, measure: str) -> Figure:
    """A measure of every method as bars, grouped by what is compared, with 95 % intervals."""
    groups = _groups(evaluation.outcomes)
    height = len(groups) * HEADING + len(evaluation.outcomes) * BAR + 30
    figure = Figure(f"{measure} of each method, with 95 % intervals", WIDTH, height)
    most = _ceiling(max(each.estimates[measure].high for each in evaluation.outcomes))
    left, right = LABELS, WIDTH - 46
    scale = (right - left) / most
    _scale_x(figure, [left + most * part / 4 * scale for part in range(5)], height - 26)
    for part in range(5):
        x = left + most * part / 4 * scale
        figure.add(Words(x, height - 10, f"{most * part / 4:.2g}", "quiet", 11, "middle"))
    y = 0.0
    for place, (rows, members) in enumerate(groups.items()):
        role = f"s{place % SERIES}"
        figure.add(Words(0, y + 18, shortened(rows, 12, WIDTH), size=12, is_strong=True))
        y += HEADING
        for outcome in members:
            estimate = outcome.estimates[measure]
            middle = y + BAR / 2
            tip = f"{outcome.method.label}: {estimate.value:.3f}"
            tip += f" ({estimate.low:.3f} to {estimate.high:.3f})"
            low, high = left + estimate.low * scale, left + estimate.high * scale
            figure.add(
                Words(10, middle + 4, outcome.method.name, size=12),
                Box(left, y + 4, estimate.value * scale, BAR - 8, role, radius=2, tip=tip),
                Path([(low, middle), (high, middle)], "ink", 1.2),
                Path([(low, middle - 3), (low, middle + 3)], "ink", 1.2),
                Path([(high, middle - 3), (high, middle + 3)], "ink", 1.2),
                Words(WIDTH, middle + 4, f"{estimate.value:.3f}", "ink", 12, "end"),
            )
            y += BAR
    if measure in {"top-1", "P@1", "P@5", "P@10"} and evaluation.trial.chance < most:
        x = left + evaluation.trial.chance * scale
        figure.add(
            Path([(x, 4), (x, height - 26)], "quiet", 1, is_dashed=True),
            Words(x + 4, 12, "chance", "quiet", 11),
        )
    return figure


def curves(evaluation: Evaluation) -> Figure:
    """Precision against recall: the best of each kind in colour, all others behind in grey."""
    groups = _groups(evaluation.outcomes)
    best = {rows: max(members, key=_quality) for rows, members in groups.items()}
    legend = 18.0 * len(best)
    plot = 260.0
    figure = Figure("Precision at each recall", WIDTH, plot + 62 + legend)
    left, top, width = 38.0, 24.0, WIDTH - 50

    def line(outcome: Outcome) -> list[tuple[float, float]]:
        return [
            (left + recall * width, top + (1 - precision) * plot)
            for recall, precision in zip(
                RECALL_LEVELS.tolist(), outcome.curve.tolist(), strict=True
            )
        ]

    for part in range(5):
        y, x = top + plot * part / 4, left + width * part / 4
        figure.add(
            Path([(left, y), (left + width, y)], "grid"),
            Words(left - 6, y + 4, f"{1 - part / 4:g}", "quiet", 11, "end"),
            Words(x, top + plot + 16, f"{part / 4:g}", "quiet", 11, "middle"),
        )
    figure.add(Words(left + width / 2, top + plot + 32, "recall", "quiet", 11, "middle"))
    figure.add(Words(left, top - 10, "precision", "quiet", 11))
    for outcome in evaluation.outcomes:
        if outcome not in best.values():
            figure.add(Path(line(outcome), "context", 1))
    for place, (rows, outcome) in enumerate(best.items()):
        role = f"s{place % SERIES}"
        y = plot + 62 + 18 * place + 10
        label = shortened(f"{outcome.method.name} · {rows}", 12, WIDTH - 140)
        figure.add(
            Path(line(outcome), role, 2.2),
            Path([(left, y - 4), (left + 20, y - 4)], role, 2.6),
            Words(left + 28, y, label, size=12),
            Words(WIDTH - 12, y, f"mAP {_quality(outcome):.3f}", "quiet", 12, "end"),
        )
    return figure


def classes(evaluation: Evaluation) -> Figure:
    """Mean average precision of each category (a row) by each method (a column), dark is good.

    Categories are ordered by the best method, the hardest first. Of very many, the hardest and the
    easiest are shown.
    """
    outcomes = evaluation.outcomes
    found = [evaluation.by_category(outcome) for outcome in outcomes]
    best = evaluation.best() or evaluation.ordered[0]
    by_best = evaluation.by_category(best)
    names = sorted(by_best, key=lambda name: (by_best[name], name))
    if len(names) > MOST_CLASSES:
        names = names[: MOST_CLASSES // 2] + names[-MOST_CLASSES // 2 :]
    encoders = {each.method.encoder for each in outcomes} - {None}
    labels = [
        each.method.name if {each.method.encoder} == encoders else each.method.label
        for each in outcomes
    ]
    head = min(max(len(label) for label in labels) * 11 * LETTER * 0.72, 190) + 14
    left, cell, line = 138.0, 24.0, 17.0
    width = left + cell * len(outcomes) + head * 0.7
    figure = Figure(
        "Mean average precision by category", max(width, WIDTH), head + line * len(names) + 6
    )
    for column, label in enumerate(labels):
        x = left + column * cell + cell / 2 + 3
        figure.add(Words(x, head - 6, shortened(label, 11, 250), size=11, turn=-45))
    for row, name in enumerate(names):
        y = head + row * line
        shown = shortened(name.replace("_", " "), 11, left - 6)
        figure.add(Words(left - 8, y + 12.5, shown, size=11, anchor="end"))
        for column, values in enumerate(found):
            value = values[name]
            figure.add(
                Box(
                    left + column * cell, y, cell - 2, line - 2, "heat", 0.05 + 0.95 * value,
                    2, f"{name}, {labels[column]}: {value:.3f}",
                )
            )  # fmt: skip
    return figure


def speed(evaluation: Evaluation) -> Figure:
    """Quality against the time of a question: from the picture's file to its ranked answer."""
    plot, left, top, width = 260.0, 38.0, 24.0, WIDTH - 60
    groups = _groups(evaluation.outcomes)
    legend = 18.0 * len(groups)
    figure = Figure("Quality (mAP) against time per question", WIDTH, plot + 62 + legend)
    times = {
        id(each): 1e3 * (each.search_s + (each.prepare_s or 0)) for each in evaluation.outcomes
    }
    low = math.floor(math.log10(max(min(times.values()), 1e-3)))
    high = max(math.ceil(math.log10(max(times.values()))), low + 1)
    most = _ceiling(max(map(_quality, evaluation.outcomes)))
    for part in range(5):
        y = top + plot * part / 4
        figure.add(
            Path([(left, y), (left + width, y)], "grid"),
            Words(left - 6, y + 4, f"{most * (1 - part / 4):.2g}", "quiet", 11, "end"),
        )
    for power in range(low, high + 1):
        x = left + width * (power - low) / (high - low)
        figure.add(
            Path([(x, top), (x, top + plot)], "grid"),
            Words(x, top + plot + 16, _time(10.0**power), "quiet", 11, "middle"),
        )
    figure.add(
        Words(left + width / 2, top + plot + 32, "time per question", "quiet", 11, "middle"),
        Words(left, top - 10, "mAP", "quiet", 11),
    )
    named: list[tuple[float, float]] = []
    for place, (rows, members) in enumerate(groups.items()):
        role = f"s{place % SERIES}"
        for outcome in sorted(members, key=lambda each: -_quality(each)):
            share = (math.log10(max(times[id(outcome)], 1e-3)) - low) / (high - low)
            x, y = left + width * share, top + plot * (1 - _quality(outcome) / most)
            tip = (
                f"{outcome.method.label}: mAP {_quality(outcome):.3f}, {times[id(outcome)]:.3g} ms"
            )
            figure.add(Dot(x, y, 5, role, tip))
            # The best of a crowd is named; the others have tips, and the table.
            if all(abs(x - other) > NEAR or abs(y - line) > NEAR for other, line in named):
                named.append((x, y))
                is_right = x > WIDTH / 2
                anchor: Anchor = "end" if is_right else "start"
                at = x - 9 if is_right else x + 9
                figure.add(Words(at, y + 4, outcome.method.name, "quiet", 11, anchor))
        y = plot + 62 + 18 * place + 10
        figure.add(Dot(left + 8, y - 4, 5, role))
        figure.add(Words(left + 28, y, shortened(rows, 12, WIDTH - 70), size=12))
    return figure


def summary(evaluation: Evaluation, measures: Sequence[str] = (MAIN, "top-1")) -> Figure:
    """Bars of several measures under each other, in one figure."""
    parts = [bars(evaluation, measure) for measure in measures]
    whole = Figure("How well each metric finds the category", WIDTH, 0)
    for measure, part in zip(measures, parts, strict=True):
        whole.add(Words(0, whole.height + 14, measure, "ink", 14, is_strong=True))
        whole.height += 24
        whole.add(*(_moved(shape, whole.height) for shape in part.shapes))
        whole.height += part.height + 8
    return whole


def _groups(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Outcomes by what is compared (a size, an encoder), in their order."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.method.rows, []).append(outcome)
    return found


def _quality(outcome: Outcome) -> float:
    return outcome.estimates[MAIN].value


def _ceiling(value: float) -> float:
    """The end of an axis: a round number not below the value."""
    return next(step for step in (0.04, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if value <= step or step == 1)


def _scale_x(figure: Figure, at: Sequence[float], bottom: float) -> None:
    figure.add(*(Path([(x, 4), (x, bottom)], "grid") for x in at))


def _time(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"


def _moved(shape: Box | Path | Dot | Words, down: float) -> Box | Path | Dot | Words:
    if isinstance(shape, Path):
        return replace(shape, points=[(x, y + down) for x, y in shape.points])
    return replace(shape, y=shape.y + down)
