"""`lookalike evaluate`: how good each metric and encoder is, on pictures of known categories."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import output, progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from engine.config import Settings
    from engine.encoders import Encoder
    from engine.evaluation.evaluating import Progress
    from engine.evaluation.results import Evaluation

INTERRUPTED = 130
SIDES = (1, 1024)
"""Least and largest side of a thumbnail."""
SHOWN_PROBLEMS = 20


def evaluate(
    *,
    train: Annotated[
        Path | None,
        typer.Option(
            help="Pictures to find, in a sub-folder for each category. Without: the library's own.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(
            help="Pictures to ask with, in sub-folders of the same names.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    leave_one_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-out", help="Ask with each picture of --train among all its others."
        ),
    ] = False,
    metrics: Annotated[
        str,
        typer.Option(help="Separated by commas: metrics, chroma (approximate search), or all."),
    ] = "all",
    encoder: Annotated[
        list[str] | None,
        typer.Option(help="As in ENCODER; several times to compare several. [default: ENCODER]"),
    ] = None,
    sizes: Annotated[
        str, typer.Option(help="Sides of the thumbnails that pixel metrics compare, in pixels.")
    ] = "16,80,448",
    out: Annotated[
        Path | None,
        typer.Option(help="Write report.html, .json, .csv and PNGs into this folder."),
    ] = None,
) -> None:
    """Measure which metric finds pictures of the same category best.

    For every metric: how often the first answers are right, with 95 % intervals, and what it costs.
    The search is exact, and no picture ever finds itself.
    """
    names = _metrics(metrics)
    sides = _sides(sizes)
    if train is None and (test is not None or leave_one_out):
        raise typer.BadParameter("name the folder of pictures to find", param_hint="--train")
    if train is not None and (test is None) != leave_one_out:
        raise typer.BadParameter(
            "give either --test, or --leave-one-out for a single folder", param_hint="--test"
        )
    if train is None and encoder:
        raise typer.BadParameter("the library has vectors of ENCODER only", param_hint="--encoder")
    if out is not None and out.exists() and not out.is_dir():
        raise typer.BadParameter(f"{out} is no folder", param_hint="--out")

    from engine.config import load_settings

    settings = load_settings()
    encoders = _encoders(settings, encoder, names) if train is not None else {}
    with progress.interruptible() as stop, progress.display() as display:
        if train is None:
            found = _library(settings, names, stop, display)
        else:
            from engine.evaluation.evaluating import evaluate_folders

            found = evaluate_folders(
                train,
                test,
                metrics=names,
                sizes=sides,
                encoders=encoders,
                stop=stop,
                progress=lambda now: _show(display, now),
            )
    if found is None:
        output.note("Stopped; nothing was written.")
        raise typer.Exit(INTERRUPTED)
    _tell(found)
    if out is not None:
        from engine.evaluation.report import write_report

        page = write_report(found, out)[0]
        output.note(f"Report: {page}")


def _library(
    settings: "Settings", names: "Sequence[str]", stop: "Event", display: progress.Display
) -> "Evaluation | None":
    from engine.evaluation.evaluating import evaluate_library
    from engine.library import Library

    with Library.open(settings, write=False) as library:
        return evaluate_library(
            library,
            metrics=names,
            stop=stop,
            progress=lambda done, total: display.show(done, total, "Comparing"),
        )


def _metrics(text: str) -> tuple[str, ...]:
    from engine.errors import UnknownMetricError
    from engine.evaluation.methods import chosen

    try:
        names = chosen(part for part in text.split(",") if part.strip())
    except UnknownMetricError as error:
        raise typer.BadParameter(str(error), param_hint="--metrics") from None
    if not names:
        raise typer.BadParameter("name at least one metric", param_hint="--metrics")
    return names


def _sides(text: str) -> tuple[int, ...]:
    least, most = SIDES
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() and least <= int(part) <= most for part in parts):
        raise typer.BadParameter(
            f"numbers from {least} to {most}, separated by commas", param_hint="--sizes"
        )
    return tuple(dict.fromkeys(map(int, parts)))


def _encoders(
    settings: "Settings", wanted: list[str] | None, names: "Sequence[str]"
) -> "dict[str, Encoder]":
    """The encoders to compare, loaded; without the settings' own if only that cannot be had."""
    from engine.encoders import encoder_from
    from engine.errors import EncoderUnavailableError
    from engine.metrics import METRICS

    if all(name in METRICS and METRICS[name].space == "pixels" for name in names):
        return {}
    loaded: dict[str, Encoder] = {}
    for name in dict.fromkeys(wanted or [settings.encoder]):
        lazy = encoder_from(settings.model_copy(update={"encoder": name}))
        if lazy is None:
            continue
        try:
            loaded[name] = lazy.load()
        except EncoderUnavailableError as error:
            if wanted or not set(names) & {"l1", "l2", "cosine", "correlation"}:
                raise
            output.note(f"{error} Evaluating pixels only.")
    return loaded


def _show(display: progress.Display, now: "Progress") -> None:
    words = {"reading": "Reading pictures", "comparing": "Comparing"}[now.phase]
    display.show(now.done, now.total, words)


def _tell(found: "Evaluation") -> None:
    from engine.evaluation import tables

    has_room = not sys.stdout.isatty() or shutil.get_terminal_size().columns >= tables.WIDE
    measures = tables.COLUMNS if has_room else tables.NARROW
    output.show_table(
        tables.headings(measures),
        tables.rows(found, measures),
        title=f"{tables.described(found)}.",
    )
    for sentence in (*tables.findings(found), *tables.remarks(found)):
        output.note(sentence)
    for problem in found.problems[:SHOWN_PROBLEMS]:
        output.note(f"skipped {problem.path}: {problem.reason}")
