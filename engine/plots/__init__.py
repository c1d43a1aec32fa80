"""Sheets: pictures that show an answer, for a terminal's user, a chat, or a slide."""

from engine.plots.answers import contact_sheet

__all__ = ["contact_sheet"]
