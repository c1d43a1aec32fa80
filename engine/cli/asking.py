"""`lookalike search`: one question, answered as a table, as JSON, or as a contact sheet."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli import output

if TYPE_CHECKING:
    from engine.search import Match, Query, Search

SCHEMA_VERSION = 1
"""Of the JSON; raised when a field changes its meaning or goes away, not when one is added."""


def search(
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="IMAGE",
            help="Pictures to look like; several are one question.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    *,
    text: Annotated[
        str | None, typer.Option(help="Words to look like, instead of pictures.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="clip, clip-l1, clip-l2, clip-correlation (by meaning); "
            "l1, l2, cosine, correlation (by pixels). [default: METRIC]"
        ),
    ] = None,
    topk: Annotated[
        int | None, typer.Option(min=1, max=100, help="How many matches. [default: TOPK]")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Keep to one category.")] = None,
    page: Annotated[int, typer.Option(min=1, help="1 for the best matches, 2 for the next...")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Draw the question beside its matches into this file.", dir_okay=False),
    ] = None,
) -> None:
    """Find the pictures of the library that look most like IMAGE."""
    if bool(images) == bool(text):
        raise typer.BadParameter("give one or more pictures, or --text", param_hint="IMAGE")
    if metric is not None:
        metric = known_metric(metric)
    if sheet is not None:
        can_draw(sheet)

    from engine.config import load_settings
    from engine.library import Library
    from engine.search import Query, Search

    settings = load_settings()
    with Library.open(settings, write=False) as library:
        engine = Search(library)
        query = Query(
            images=tuple(engine.open_query(path) for path in images or ()),
            text=text,
            metric=metric or settings.metric,
            topk=topk or settings.topk,
            page=page - 1,
            category=category,
        )
        query, matches = _answer(engine, query, may_fall_back=metric is None)
        if sheet is not None:
            _draw(sheet, query, matches)
    if as_json:
        document = _document(query, images or [], matches)
        output.say(json.dumps(document, ensure_ascii=False, indent=2))
        return
    if not matches:
        output.note("No more matches." if page > 1 else "No matches.")
    output.show_table(
        ["#rank", "#similarity", "category", "picture"],
        [[str(m.rank), f"{m.percent:.1f}%", m.category, str(m.path)] for m in matches],
        title=f"Most alike by {query.metric}",
    )
    if sheet is not None:
        output.note(f"Drawn: {sheet}")


def _answer(
    engine: "Search", query: "Query", *, may_fall_back: bool
) -> "tuple[Query, list[Match]]":
    """Ask; pictures can be compared by their pixels without an encoder, if no metric was chosen."""
    from dataclasses import replace

    from engine.errors import EncoderUnavailableError

    try:
        return query, engine.run(query)
    except EncoderUnavailableError as error:
        if not may_fall_back or query.text is not None:
            raise
        output.note(f"{error} Searching by pixels (l1) instead.")
        query = replace(query, metric="l1")
        return query, engine.run(query)


def known_metric(name: str) -> str:
    """The name of the metric that a user means, or a word on wrong usage."""
    from engine.errors import UnknownMetricError
    from engine.metrics import metric_named

    try:
        return metric_named(name).name
    except UnknownMetricError as error:
        raise typer.BadParameter(str(error), param_hint="--metric") from None


def can_draw(sheet: Path) -> None:
    """Refuse before the search what could not be written after it."""
    if sheet.suffix.lower() not in {".png", ".jpg", ".jpeg", ".webp"}:
        raise typer.BadParameter("the name must end in .png, .jpg or .webp", param_hint="--sheet")
    if not sheet.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {sheet.parent}", param_hint="--sheet")


def _draw(sheet: Path, query: "Query", matches: "list[Match]") -> None:
    from engine.plots import contact_sheet

    words = f"“{query.text}”" if query.text else ""
    contact_sheet(query.images, matches, title=words).save(sheet, quality=90)


def _document(query: "Query", images: list[Path], matches: "list[Match]") -> dict[str, Any]:
    """The answer for programs; README.md describes it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "query": {"images": [str(path) for path in images], "text": query.text},
        "metric": query.metric,
        "topk": query.topk,
        "page": query.page + 1,
        "category": query.category,
        "matches": [
            {
                "rank": match.rank,
                "image_id": match.image_id,
                "score": match.score,
                "percent": round(match.percent, 2),
                "category": match.category,
                "path": str(match.path),
                "attribution": {
                    "title": match.title,
                    "creator": match.creator,
                    "licence": match.licence,
                    "source": match.source,
                    "landing_page": match.landing_page,
                },
            }
            for match in matches
        ],
    }
