"""What the demo knows of a conversation: people, and lines that were said. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Line", "Person"]


@dataclass(eq=False)
class Line:
    """One thing on the talk screen. ``version`` grows whenever it must be drawn again.

    ``thinking`` stands in the bubble until the first word comes.
    """

    kind: Literal["npc", "player", "action", "news"]
    text: str = ""
    thinking: str = ""
    mood: str = ""
    speaking: bool = False
    cut: bool = False
    model: str = ""
    earlier: bool = False
    said_at: float = 0.0
    version: int = 0


@dataclass
class Person:
    """A character as the game sees it. ``read`` is whether its memories of earlier evenings were asked for."""

    id: str
    name: str
    role: str
    mood: str = ""
    lines: list[Line] = field(default_factory=list)
    read: bool = False
