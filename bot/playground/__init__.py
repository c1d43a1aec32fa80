"""A Bot API server on loopback with a chat page: for tests, for the demo, for trying things out."""

from bot.playground.account import Account, Asked
from bot.playground.calls import Record
from bot.playground.faults import EVERYDAY, Fault
from bot.playground.people import Photo, User
from bot.playground.playground import Playground, running_playground

__all__ = [
    "EVERYDAY",
    "Account",
    "Asked",
    "Fault",
    "Photo",
    "Playground",
    "Record",
    "User",
    "running_playground",
]
