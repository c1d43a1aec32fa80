"""Tables and sentences: what an evaluation found, for a terminal, a chat and a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.evaluation.results import MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.evaluation.results import Evaluation, Outcome

COLUMNS: tuple[str, ...] = ("top-1", "hit@5", "P@5", "P@10", "R@10", MAIN, "nDCG@10")
"""Measures that a page or a terminal of `WIDE` letters has room for; the files have all of them."""
WIDE = 110
NARROW: tuple[str, ...] = ("top-1", "hit@5", "P@5", MAIN)
"""Measures that a terminal of 80 letters has room for."""
_NAMED = 4


def rows(evaluation: Evaluation, measures: Sequence[str] = NARROW) -> list[list[str]]:
    """A row for each method: its name, what it compares, measures, time a query, memory."""
    return [
        [
            outcome.method.name,
            outcome.method.rows,
            *(_bare(f"{outcome.estimates[measure].value:.3f}") for measure in measures),
            "–".join(map(_bare, interval(outcome).split("–"))),
            milliseconds(outcome.search_s),
            megabytes(outcome.index_bytes),
        ]
        for outcome in evaluation.outcomes
    ]


def headings(measures: Sequence[str] = NARROW) -> list[str]:
    """What the columns of `rows` are; those of numbers begin with `#`."""
    numbers = [*measures, "95 %", "ms", "MB"]
    return ["metric", "of", *(f"#{name}" for name in numbers)]


def text_table(evaluation: Evaluation, measures: Sequence[str] = ("top-1", "P@5", MAIN)) -> str:
    """The methods as lines in columns, for letters of one width: 40 letters fit a phone's chat."""
    lines = [("", *measures, "ms")]
    for each in evaluation.outcomes:
        values = [_bare(f"{each.estimates[name].value:.3f}") for name in measures]
        lines.append((each.method.name, *values, milliseconds(each.search_s)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def findings(evaluation: Evaluation) -> list[str]:
    """What can be said of it in words, differences within chance called so."""
    said = []
    for space in ("pixels", "embeddings"):
        best = evaluation.best(space)
        if best is None:
            continue
        estimate = best.estimates[MAIN]
        sentence = (
            f"On {space}, {best.method.label} is best: mAP {estimate.value:.3f} "
            f"(95 % interval {interval(best)}), top-1 {best.estimates['top-1'].value:.3f}."
        )
        equals = evaluation.equals(best)
        rivals = sum(
            each.method.metric.space == space and not each.method.is_approximate
            for each in evaluation.outcomes
        )
        if equals and len(equals) == rivals - 1:
            sentence += " No other differs from it by more than chance."
        elif equals:
            names = ", ".join(each.method.label for each in equals[:_NAMED])
            more = f" and {len(equals) - _NAMED} more" if len(equals) > _NAMED else ""
            sentence += f" Within chance of it: {names}{more}."
        elif rivals > 1:
            sentence += " It is ahead of all others by more than chance."
        said.append(sentence)
    pixels, embeddings = evaluation.best("pixels"), evaluation.best("embeddings")
    if pixels and embeddings:
        times = embeddings.estimates[MAIN].value / max(pixels.estimates[MAIN].value, 1e-9)
        said.append(f"Embeddings reach {times:.1f} times the mAP of pixels.")
    said += [
        _approximate(evaluation, each) for each in evaluation.outcomes if each.method.is_approximate
    ]
    return said


def described(evaluation: Evaluation) -> str:
    """Who was asked among whom, in a line."""
    trial = evaluation.trial
    way = "each left out in turn" if trial.protocol == "leave-one-out" else "pictures apart"
    return (
        f"{_counted(len(trial.queries), 'query', 'queries')} ({way}) among "
        f"{_counted(len(trial.gallery), 'picture', 'pictures')} of "
        f"{_counted(len({each.category for each in trial.gallery}), 'category', 'categories')}; "
        f"by chance {trial.chance:.1%} of an answer would be right"
    )


def remarks(evaluation: Evaluation) -> list[str]:
    """What was left out, and why."""
    said = []
    if evaluation.copies:
        said.append(
            f"{_counted(evaluation.copies, 'file was', 'files were')} left out: another has the "
            "same content."
        )
    if evaluation.trial.without_answer:
        said.append(
            f"{_counted(evaluation.trial.without_answer, 'picture was', 'pictures were')} not "
            "asked with: the gallery has no other of the category."
        )
    if evaluation.problems:
        said.append(f"{_counted(len(evaluation.problems), 'file', 'files')} could not be read.")
    return said


def interval(outcome: Outcome, measure: str = MAIN) -> str:
    """The 95 % interval of a measure: `0.05–0.11`."""
    estimate = outcome.estimates[measure]
    return f"{estimate.low:.3f}–{estimate.high:.3f}"


def milliseconds(seconds: float) -> str:
    """Milliseconds with as many digits as matter."""
    ms = 1e3 * seconds
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.1f}" if ms >= 1 else f"{ms:.2f}"


def megabytes(number: int) -> str:
    """Bytes in MB."""
    mb = number / 1e6
    return f"{mb:,.0f}" if mb >= 100 else f"{mb:.1f}"


def _bare(number: str) -> str:
    """A share of one without the nought that all of them have."""
    return number.removeprefix("0")


def _approximate(evaluation: Evaluation, outcome: Outcome) -> str:
    exact = next(
        (
            each
            for each in evaluation.outcomes
            if each.method.metric == outcome.method.metric
            and each.method.encoder == outcome.method.encoder
            and not each.method.is_approximate
        ),
        None,
    )
    label = f"Chroma's approximate search ({outcome.method.rows})"
    if exact is None:
        return f"{label}: mAP {outcome.estimates[MAIN].value:.3f}."
    shown = (exact.nearest >= 0).sum()
    same = sum(
        len(set(ours[ours >= 0].tolist()) & set(theirs.tolist()))
        for ours, theirs in zip(exact.nearest, outcome.nearest, strict=True)
    )
    difference = outcome.estimates[MAIN].value - exact.estimates[MAIN].value
    return (
        f"{label} gives {same / max(shown, 1):.1%} of the exact search's first "
        f"{exact.nearest.shape[1]}, and a mAP that differs by {difference:+.4f}."
    )


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
