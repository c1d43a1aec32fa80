"""`lookalike index` and `lookalike remove`: what comes into the library, and what leaves it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import output, progress

if TYPE_CHECKING:
    from engine.indexing import IndexReport, Progress
    from engine.library import Library

SHOWN_PROBLEMS = 20
INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended, as shells have it."""


def index(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="Folders and picture files.", exists=True, readable=True
        ),
    ],
    *,
    category: Annotated[
        str | None, typer.Option(help="One category for everything, instead of the folders' names.")
    ] = None,
) -> None:
    """Take pictures into the library.

    A folder's sub-folders are its categories. Run it again after the folders changed: only what is
    new, moved or gone is worked on. Ctrl-C loses nothing that was done, and the next run goes on
    from there.
    """
    from engine.config import load_settings
    from engine.library import Library

    with (
        Library.open(load_settings(), write=True) as library,
        progress.interruptible() as stop,
        progress.display() as display,
    ):
        report = library.index(
            paths, category=category, progress=lambda now: _show(display, now), stop=stop
        )
    _tell(report)
    if report.stopped:
        raise typer.Exit(INTERRUPTED)
    if not report.counts.found and not report.counts.removed:
        output.note(f"No pictures found in {', '.join(map(str, paths))}.")
        raise typer.Exit(1)


def remove(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH|ID", help="Files, whole folders, or image ids."),
    ] = None,
    *,
    category: Annotated[str | None, typer.Option(help="Everything of one category.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take pictures out of the library.

    Your own files stay where they are, and indexing their folder again brings them back; copies
    that the library made itself are deleted.
    """
    if not targets and category is None:
        raise typer.BadParameter("name pictures, or a --category", param_hint="PATH|ID")
    from engine.config import load_settings
    from engine.library import Library

    ids = [target for target in targets or () if _is_id(target)]
    paths = [Path(target).resolve() for target in targets or () if not _is_id(target)]
    settings = load_settings()
    if not yes:
        with Library.open(settings, write=False) as library:
            what = _described(library, ids, paths, category)
        typer.confirm(f"Remove {what} from the library?", abort=True)
    with Library.open(settings, write=True) as library:
        removed = library.remove(ids=ids, category=category, paths=paths)
    output.say(f"Removed {output.counted(removed, 'picture')}.")


def _show(display: progress.Display, now: "Progress") -> None:
    words = {
        "scanning": "Looking for pictures",
        "reading": "Indexing",
        "cleaning": "Dropping what is gone",
        "done": "Done",
    }[now.phase]
    if now.phase == "scanning":
        display.show(now.found, None, words)
    else:
        display.show(now.done, now.found, words)


def _tell(report: "IndexReport") -> None:
    """The run in a line or two; zeros are left out."""
    counts = report.counts
    parts = [
        f"{number:,} {words}"
        for number, words in (
            (counts.added, "added"),
            (counts.skipped, "unchanged"),
            (counts.moved, "moved"),
            (counts.duplicates, "stored already"),
            (counts.near_duplicates, "near-duplicates"),
            (counts.removed, "removed"),
            (counts.failed, "unreadable"),
        )
        if number
    ]
    done = "Stopped" if report.stopped else "Done"
    summary = ", ".join(parts) or "nothing to do"
    output.say(f"{done} in {report.seconds:.1f} s: {summary}; {counts.embedded:,} embedded.")
    for problem in report.problems[:SHOWN_PROBLEMS]:
        output.note(f"skipped {problem.path}: {problem.reason}")
    if len(report.problems) > SHOWN_PROBLEMS:
        output.note(f"... and {len(report.problems) - SHOWN_PROBLEMS:,} more")
    if report.without_encoder:
        output.note(
            f"{report.without_encoder} The pictures can be found by their pixels (l1) until then."
        )


def _is_id(target: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{16}", target) is not None and not Path(target).exists()


def _described(library: "Library", ids: list[str], paths: list[Path], category: str | None) -> str:
    parts = []
    if category is not None:
        count = sum(found.count for found in library.categories() if found.category == category)
        parts.append(f"{output.counted(count, 'picture')} of {category}")
    if ids:
        parts.append(output.counted(len(ids), "picture"))
    parts += [f"all of {path}" if path.is_dir() else str(path) for path in paths]
    return " and ".join(parts)
