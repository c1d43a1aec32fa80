"""`lookalike categories`, `check` and `stats`: what is in the library, and whether it is whole."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import output, progress

if TYPE_CHECKING:
    from engine.checking import Finding
    from engine.library import LibraryStats


def categories() -> None:
    """List the categories and how many pictures each has."""
    from engine.config import load_settings
    from engine.library import Library

    with Library.open(load_settings(), write=False) as library:
        counts = library.categories()
    if not counts:
        output.note("The library is empty; fill it with: lookalike index FOLDER")
        return
    output.show_table(["category", "#pictures"], [[c.category, str(c.count)] for c in counts])


def check(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Put right what is found.")] = False,
) -> None:
    """Look whether the library is whole.

    Every picture must have its file, its thumbnail and its embedding, and must be found by itself.
    Exit code 1 when something is wrong (or still wrong after --repair).
    """
    from engine.config import load_settings
    from engine.library import Library

    with (
        Library.open(load_settings(), write=repair) as library,
        progress.display() as display,
    ):
        report = library.check(
            repair=repair, progress=lambda done, total: display.show(done, total, "Checking")
        )
    _list(report.findings)
    if report.repaired and report.left:
        output.say("Left after the repair:")
        _list(report.left)
    if report.without_encoder:
        output.note(report.without_encoder)
    pictures = output.counted(report.pictures, "picture")
    if report.is_clean:
        output.say(f"{pictures}: {'repaired' if report.findings else 'nothing is wrong'}.")
        return
    hint = "" if repair else "; put it right with: lookalike check --repair"
    output.note(f"{pictures}, and the library is not whole{hint}")
    raise typer.Exit(1)


def stats() -> None:
    """Show what the library holds."""
    from engine.config import load_settings
    from engine.library import Library

    with Library.open(load_settings(), write=False) as library:
        figures = library.stats()
    output.show_table(["", "#"], _figures(figures))


def _figures(figures: "LibraryStats") -> list[list[str]]:
    rows = [
        ("pictures", f"{figures.pictures:,}"),
        ("categories", f"{figures.categories:,}"),
        ("near-duplicates", f"{figures.near_duplicates:,}"),
        ("files", f"{figures.files:,}"),
        ("their size", output.size(figures.file_bytes)),
        ("the index's size", output.size(figures.index_bytes)),
        ("encoder", figures.encoder or "none (pixel search only)"),
    ]
    if figures.encoder:
        rows.append(("embedded by it", f"{figures.embedded:,}"))
    if figures.pending:
        rows.append(("not finished", f"{figures.pending:,}"))
    return [list(row) for row in rows]


def _list(findings: "tuple[Finding, ...]") -> None:
    for finding in findings:
        output.say(f"{finding.count:,} × {finding.what}")
        for example in finding.examples:
            output.say(f"    {example}")
