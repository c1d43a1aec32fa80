"""What commands print: tables for people on a terminal, tab-separated lines for everything else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print rows to stdout; columns whose name begins with `#` are right-aligned numbers.

    On a terminal a titled table, elsewhere one line a row with tabs between, without a heading.
    """
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(row) + "\n")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        is_number = column.startswith("#")
        table.add_column(
            column.removeprefix("#"), justify="right" if is_number else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def say(line: str) -> None:
    """Print one line to stdout."""
    sys.stdout.write(line + "\n")


def note(line: str) -> None:
    """Print one line to stderr, where it disturbs nothing that reads stdout."""
    sys.stderr.write(line + "\n")


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Bytes in a unit a person reads: `12.3 MB`."""
    amount = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
