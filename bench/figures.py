"""One measured figure, its goal, and the table and JSON that show them."""

from __future__ import annotations

import json
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured.

    Args:
        name: What the figure is about, in words.
        value: The figure.
        unit: Its unit; "×" for a ratio, "%" for a share.
        goal: The value it is held against; None for figures that only inform.
        better: Whether larger or smaller values are wanted.
        detail: The raw times behind the ratio.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: Literal["larger", "smaller"] = "larger"
    detail: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "larger" else self.value <= self.goal


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternated(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Median seconds of each work, taken in turns so that a noisy neighbour hits all alike."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            times.append(seconds(work))
    return [statistics.median(times) for times in taken]


def show(figures: Iterable[Figure]) -> None:
    """Print the figures as a table on standard output."""
    table = Table(title="Lookalike benchmarks (ratios within this run)")
    for heading, justify in (
        ("figure", "left"),
        ("measured", "right"),
        ("goal", "right"),
        ("", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    table.add_column("behind it", overflow="fold")
    marks = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}
    for figure in figures:
        sign = "≥" if figure.better == "larger" else "≤"
        goal = "" if figure.goal is None else f"{sign} {figure.goal:g} {figure.unit}"
        table.add_row(
            figure.name,
            f"{figure.value:.3g} {figure.unit}",
            goal,
            marks[figure.is_met],
            figure.detail,
        )
    Console(width=150).print(table)


def write_json(figures: Iterable[Figure], path: Path) -> None:
    """Write the figures, with the machine they were taken on, to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "python": platform.python_version(),
        },
        "figures": [{**asdict(figure), "is_met": figure.is_met} for figure in figures],
    }
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
