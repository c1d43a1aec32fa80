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
        str | None,
        typer.Option(help="Words to look like, alone or beside pictures; -word is to be left out."),
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
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Find pictures that are mirrored, too.")
    ] = False,
    denoise: Annotated[
        bool, typer.Option("--denoise", help="Take noise out of the pictures first.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Draw the question beside its matches into this file.", dir_okay=False),
    ] = None,
) -> None:
    """Find the pictures of the library that look most like IMAGE."""
    if not images and text is None:
        raise typer.BadParameter("give one or more pictures, or --text", param_hint="IMAGE")
    if not images and (mirror or denoise):
        raise typer.BadParameter("--mirror and --denoise need a picture", param_hint="IMAGE")
    if text is not None and not text.strip():
        raise typer.BadParameter("give one or more words", param_hint="--text")
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
            mirror=mirror,
            denoise=denoise,
        )
        query, matches = _answer(engine, query, may_fall_back=metric is None)
        _doubt(engine, query, matches)
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


def _doubt(engine: "Search", query: "Query", matches: "list[Match]") -> None:
    """Say so when the answer means little, and what might."""
    text = query.text or ""
    if not engine.reads(text):
        output.note("The encoder does not read this language; ENCODER=clip-multilingual does.")
    if not matches or not all(match.is_weak for match in matches):
        return
    output.note("None of them is really alike; the library may hold nothing of the kind.")
    topics = engine.nearest_topics(text) if text else []
    if topics:
        output.note(f"Categories near to the words: {', '.join(topics)}.")


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
        "query": {
            "images": [str(path) for path in images],
            "text": query.text,
            "mirror": query.mirror,
            "denoise": query.denoise,
        },
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
                "is_weak": match.is_weak,
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
