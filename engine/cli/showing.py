"""`lookalike compare`, `tag`, `locate`: what is best shown in a picture, also as table and JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli import output
from engine.cli.asking import SCHEMA_VERSION, can_draw, known_metric

if TYPE_CHECKING:
    from PIL import Image

    from engine.locate import Location, Method

_FORMULAS = {
    "l1": "sum of differences",
    "l2": "Euclidean distance",
    "cosine": "cosine",
    "correlation": "Pearson’s r",
}

_Picture = Annotated[
    Path, typer.Argument(metavar="IMAGE", exists=True, dir_okay=False, readable=True)
]
_Sheet = Annotated[
    Path | None, typer.Option(help="Draw the answer into this file.", dir_okay=False)
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def compare(
    image: _Picture,
    *,
    metrics: Annotated[
        str | None,
        typer.Option(help="Names with commas between, such as clip,l1. [default: all]"),
    ] = None,
    topk: Annotated[
        int | None, typer.Option(min=1, max=10, help="How many matches of each. [default: TOPK]")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Keep to one category.")] = None,
    as_json: _AsJson = False,
    sheet: _Sheet = None,
) -> None:
    """Show what each metric finds for IMAGE, side by side."""
    names = None
    if metrics is not None:
        names = [known_metric(name) for name in metrics.split(",")]
    if sheet is not None:
        can_draw(sheet)

    from engine.config import load_settings
    from engine.library import Library
    from engine.lineup import line_up
    from engine.metrics import METRICS
    from engine.plots import Row, comparison_sheet
    from engine.search import Query, Search

    settings = load_settings()
    with Library.open(settings, write=False) as library:
        search = Search(library)
        query = Query(
            images=(search.open_query(image),), topk=topk or settings.topk, category=category
        )
        answers = line_up(search, query, names)
        if sheet is not None:
            spaces = {"embeddings": "meaning", "pixels": "pixels"}
            rows = [
                Row(
                    answer.metric,
                    answer.matches,
                    f"{spaces[METRICS[answer.metric].space]}: "
                    f"{_FORMULAS[METRICS[answer.metric].formula]}",
                )
                for answer in answers
            ]
            comparison_sheet(query.images, rows, query_label=image.name).save(sheet, quality=90)
    if as_json:
        _print_json(
            image=str(image),
            topk=query.topk,
            category=category,
            answers=[
                {
                    "metric": answer.metric,
                    "matches": [
                        {
                            "rank": match.rank,
                            "image_id": match.image_id,
                            "score": match.score,
                            "percent": round(match.percent, 2),
                            "category": match.category,
                            "path": str(match.path),
                        }
                        for match in answer.matches
                    ],
                }
                for answer in answers
            ],
        )
        return
    output.show_table(
        ["metric", "#rank", "#similarity", "category", "picture"],
        [
            [answer.metric, str(m.rank), f"{m.percent:.1f}%", m.category, str(m.path)]
            for answer in answers
            for m in answer.matches
        ],
        title="Most alike by each metric",
    )
    _say_drawn(sheet)


def tag(
    image: _Picture,
    *,
    limit: Annotated[int, typer.Option(min=1, max=20, help="At most so many.")] = 5,
    as_json: _AsJson = False,
    sheet: _Sheet = None,
) -> None:
    """Name the categories of the library that fit IMAGE best.

    An encoder that reads words compares their names with the picture; any other, and pixels, let
    the pictures most like it vote.
    """
    if sheet is not None:
        can_draw(sheet)

    from engine.config import load_settings
    from engine.library import Library
    from engine.plots import tag_sheet
    from engine.search import Search
    from engine.tags import Tagger

    with Library.open(load_settings(), write=False) as library:
        picture = Search(library).open_query(image)
        tags = Tagger(library).tags(picture, limit=limit)
    if sheet is not None:
        tag_sheet(picture, tags, title=image.name).save(sheet, quality=90)
    if as_json:
        _print_json(
            image=str(image),
            by=tags[0].by if tags else None,
            tags=[{"category": each.category, "percent": round(each.percent, 2)} for each in tags],
        )
        return
    output.show_table(
        ["#share", "category"],
        [[f"{each.percent:.1f}%", each.category] for each in tags],
        title="Topics that fit",
    )
    _say_drawn(sheet)


def locate(
    picture: Annotated[
        Path,
        typer.Argument(help="The whole picture.", exists=True, dir_okay=False, readable=True),
    ],
    cutout: Annotated[
        Path,
        typer.Argument(help="A part of it.", exists=True, dir_okay=False, readable=True),
    ],
    *,
    method: Annotated[
        str,
        typer.Option(help="correlation (of colours), or features (of the encoder's network)."),
    ] = "correlation",
    as_json: _AsJson = False,
    sheet: _Sheet = None,
) -> None:
    """Find where in PICTURE the part CUTOUT lies.

    CUTOUT may be half to twice its size, brighter or darker, and a little noisy.
    """
    from engine.locate import METHODS

    chosen = next((each for each in METHODS if each == method), None)
    if chosen is None:
        raise typer.BadParameter(f"it is one of {', '.join(METHODS)}", param_hint="--method")
    if sheet is not None:
        can_draw(sheet)

    from engine.images import open_image
    from engine.plots import location_sheet

    whole, part = open_image(picture), open_image(cutout)
    location = _located(whole, part, chosen)
    if sheet is not None:
        location_sheet(whole, part, location, cutout_label=cutout.name).save(sheet, quality=90)
    if as_json:
        _print_json(
            picture=str(picture),
            cutout=str(cutout),
            method=chosen,
            found=location is not None,
            box=None if location is None else list(location.box),
            scale=None if location is None else round(location.scale, 4),
            score=None if location is None else round(location.score, 4),
        )
        return
    if location is None:
        output.note("Not found: the cut-out does not lie in the picture.")
    else:
        output.show_table(
            ["#left", "#top", "#right", "#bottom", "#scale", "#score"],
            [[*map(str, location.box), f"{location.scale:.2f}", f"{location.percent:.1f}%"]],
            title="Where it lies, in pixels",
        )
    _say_drawn(sheet)


def _located(whole: "Image.Image", part: "Image.Image", method: "Method") -> "Location | None":
    from engine import locate

    if method == "correlation":
        return locate.locate(whole, part)
    from engine.config import load_settings
    from engine.encoders import encoder_from

    lazy = encoder_from(load_settings())
    if lazy is None:
        return locate.locate(whole, part, method=method)
    encoder = lazy.load()
    try:
        return locate.locate(whole, part, method=method, encoder=encoder)
    finally:
        lazy.close()


def _print_json(**document: Any) -> None:  # noqa: ANN401 - what JSON can hold
    """One object for programs; README.md describes them."""
    document = {"schema_version": SCHEMA_VERSION, **document}
    output.say(json.dumps(document, ensure_ascii=False, indent=2))


def _say_drawn(sheet: Path | None) -> None:
    if sheet is not None:
        output.note(f"Drawn: {sheet}")
