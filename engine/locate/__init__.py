"""Locating: where in a picture a cut-out of it lies, or that it lies nowhere."""

from engine.locate.locating import METHODS, Method, locate
from engine.locate.place import Location

__all__ = ["METHODS", "Location", "Method", "locate"]
