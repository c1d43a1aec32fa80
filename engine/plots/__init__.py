"""Sheets: pictures that show an answer, for a terminal's user, a chat, or a slide."""

from engine.plots.answers import contact_sheet
from engine.plots.bars import tag_sheet
from engine.plots.comparisons import Row, comparison_sheet
from engine.plots.overviews import overview
from engine.plots.places import boxed, location_sheet

__all__ = [
    "Row",
    "boxed",
    "comparison_sheet",
    "contact_sheet",
    "location_sheet",
    "overview",
    "tag_sheet",
]
