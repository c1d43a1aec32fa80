"""The report: `report.json`, `report.csv`, a page that stands alone, and its charts as PNG."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.evaluation import charts, sheets, tables
from engine.evaluation.figure import COLOURS
from engine.evaluation.measures import MEASURES, RECALL_LEVELS

if TYPE_CHECKING:
    from engine.evaluation.figure import Figure
    from engine.evaluation.results import Evaluation, Outcome
    from engine.evaluation.sheets import Line, Tiles

SCHEMA_VERSION = 1
"""Of the JSON; raised when a field changes its meaning or goes away, not when one is added."""
CHARTED = ("mAP", "top-1", "P@5", "nDCG@10")
_PAGE = Path(__file__).with_name("page.html")


def write_report(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write all files of the report; the folder is made if missing.

    Returns:
        The files, the page first.

    Raises:
        OSError: They cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tiles = sheets.Tiles()
    files: dict[str, str | bytes] = {
        "report.html": page(evaluation, tiles),
        "report.json": json.dumps(document(evaluation), ensure_ascii=False, indent=1) + "\n",
        "report.csv": comma_separated(evaluation),
    }
    note = tables.described(evaluation)
    files |= {f"{name}.png": figure.png(note) for name, figure in figures(evaluation).items()}
    for outcome in evaluation.outcomes:
        sheet = sheets.sheet_of(evaluation, outcome)
        files[f"sheet-{outcome.method.slug}.png"] = sheets.drawn(sheet, tiles)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


def chart_png(evaluation: Evaluation, *, note: str | None = None) -> bytes:
    """The methods' mAP and top-1 as one picture, to be sent into a chat.

    Args:
        evaluation: What was found.
        note: A line under it; by default who was asked among whom.
    """
    return charts.summary(evaluation).png(tables.described(evaluation) if note is None else note)


def figures(evaluation: Evaluation) -> dict[str, Figure]:
    """All charts by the names of their files."""
    made = {
        f"bars-{measure.lower().replace('@', '-at-')}": charts.bars(evaluation, measure)
        for measure in CHARTED
    }
    return made | {
        "curves": charts.curves(evaluation),
        "speed": charts.speed(evaluation),
        "classes": charts.classes(evaluation),
    }


def document(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation for programs."""
    trial = evaluation.trial
    return {
        "schema_version": SCHEMA_VERSION,
        "protocol": trial.protocol,
        "queries": len(trial.queries),
        "gallery": len(trial.gallery),
        "categories": len(trial.categories),
        "chance": trial.chance,
        "copies_left_out": evaluation.copies,
        "without_answer": trial.without_answer,
        "problems": [{"path": each.path, "reason": each.reason} for each in evaluation.problems],
        "seconds": round(evaluation.seconds, 3),
        "findings": tables.findings(evaluation),
        "recall_levels": [round(level, 3) for level in RECALL_LEVELS.tolist()],
        "methods": [_method(evaluation, outcome) for outcome in evaluation.outcomes],
    }


def comma_separated(evaluation: Evaluation) -> str:
    """A line for each method; each measure with the ends of its interval beside it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [end for name in MEASURES for end in (name, f"{name} low", f"{name} high")]
    writer.writerow(
        ["metric", "compared", "space", "formula", "approximate", *columns,
         "ms per query", "ms to prepare", "bytes"]
    )  # fmt: skip
    for each in evaluation.outcomes:
        method, prepare = each.method, each.prepare_s
        ends = [
            f"{value:.6f}"
            for name in MEASURES
            for estimate in [each.estimates[name]]
            for value in (estimate.value, estimate.low, estimate.high)
        ]
        writer.writerow(
            [method.name, method.rows, method.metric.space, method.metric.formula,
             int(method.is_approximate), *ends, f"{1e3 * each.search_s:.4f}",
             "" if prepare is None else f"{1e3 * prepare:.4f}", each.index_bytes]
        )  # fmt: skip
    return text.getvalue()


def page(evaluation: Evaluation, tiles: Tiles | None = None) -> str:
    """The report as one HTML file that needs no other and no connection."""
    from jinja2 import Environment, StrictUndefined

    tiles = tiles or sheets.Tiles()
    best = evaluation.best() or evaluation.ordered[0]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(_PAGE.read_text(encoding="utf-8"))
    drawn = figures(evaluation)
    return template.render(
        evaluation=evaluation,
        described=tables.described(evaluation),
        findings=tables.findings(evaluation),
        remarks=tables.remarks(evaluation),
        tiles=tiles,
        best=best,
        colours=COLOURS,
        columns=tables.COLUMNS,
        interval=tables.interval,
        milliseconds=tables.milliseconds,
        megabytes=tables.megabytes,
        bars={measure: charts.bars(evaluation, measure) for measure in CHARTED},
        curves=drawn["curves"],
        speed=drawn["speed"],
        classes=drawn["classes"],
        sheets=[sheets.sheet_of(evaluation, outcome) for outcome in evaluation.outcomes],
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
    )


def _method(evaluation: Evaluation, outcome: Outcome) -> dict[str, Any]:
    method, sheet = outcome.method, sheets.sheet_of(evaluation, outcome)
    prepare = outcome.prepare_s
    return {
        "metric": method.metric.name,
        "space": method.metric.space,
        "formula": method.metric.formula,
        "size": method.size,
        "encoder": method.encoder,
        "approximate": method.is_approximate,
        "measures": {
            name: {"value": each.value, "low": each.low, "high": each.high}
            for name, each in outcome.estimates.items()
        },
        "precision_at_recall": [round(value, 6) for value in outcome.curve.tolist()],
        "map_by_category": evaluation.by_category(outcome),
        "ms_per_query": 1e3 * outcome.search_s,
        "ms_to_prepare": None if prepare is None else 1e3 * prepare,
        "index_bytes": outcome.index_bytes,
        "best_queries": [_line(line) for line in sheet.best],
        "worst_queries": [_line(line) for line in sheet.worst],
    }


def _line(line: Line) -> dict[str, Any]:
    picture = line.query.picture
    return {
        "image_id": picture.id,
        "path": None if picture.path is None else str(picture.path),
        "category": picture.category,
        "average_precision": line.precision,
        "answers": [
            {"image_id": each.picture.id, "category": each.picture.category}
            for each in line.answers
        ],
    }
