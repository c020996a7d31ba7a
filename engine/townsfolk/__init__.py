"""Characters that talk: an engine beside your game that streams what an NPC says and remembers what it heard.

Start with :class:`Engine`; what comes out of its ``poll()`` is one of the events below. Importing this loads nothing
that is slow: models, stores and files are the host's business, in a process of its own.
"""

from townsfolk.client import Engine
from townsfolk.errors import (
    ModelError,
    PersonaError,
    ProtocolError,
    StoreError,
    TownsfolkError,
    TransportError,
    UsageError,
)
from townsfolk.events import (
    ActionRequested,
    Answer,
    Cue,
    Event,
    LineAccepted,
    LineAudio,
    LineDelta,
    LineDone,
    LineFailed,
    LineHeard,
    LineStarted,
    LineThinking,
    LineTiming,
    PlayerHeard,
    Status,
)

__all__ = [
    "ActionRequested",
    "Answer",
    "Cue",
    "Engine",
    "Event",
    "LineAccepted",
    "LineAudio",
    "LineDelta",
    "LineDone",
    "LineFailed",
    "LineHeard",
    "LineStarted",
    "LineThinking",
    "LineTiming",
    "ModelError",
    "PersonaError",
    "PlayerHeard",
    "ProtocolError",
    "Status",
    "StoreError",
    "TownsfolkError",
    "TransportError",
    "UsageError",
]

__version__ = "0.1.0"
