"""A realtime server on the loopback, for trying, testing and measuring without a key. Contacts nobody."""

from townsfolk.simulator.script import Brain, Fault, Pace, Piece, Quirks, Reply, Script, ToolCall, asked, echo, words
from townsfolk.simulator.server import Simulator

__all__ = [
    "Brain",
    "Fault",
    "Pace",
    "Piece",
    "Quirks",
    "Reply",
    "Script",
    "Simulator",
    "ToolCall",
    "asked",
    "echo",
    "words",
]
