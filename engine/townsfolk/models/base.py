"""The one interface behind which every model stands. Holds no model.

A model is asked to speak one line. It pushes what it says into ``emit`` as it comes (a plain call, no task switch: at
20,000 deltas a second that is what counts) and returns when the line is whole. Everything that differs between
models stays in their adapters; an event means the same whoever sends it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from townsfolk.gates import Fact
from townsfolk.persona import Persona
from townsfolk.prompt import Prompt

__all__ = [
    "Audio",
    "Billed",
    "Call",
    "Emit",
    "Health",
    "Image",
    "Model",
    "ModelEvent",
    "Mood",
    "Outcome",
    "Purse",
    "Request",
    "Reserve",
    "Spoken",
    "Text",
    "Timing",
    "Usage",
]


@dataclass(frozen=True, slots=True)
class Text:
    """More of the line; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Mood:
    """A stage direction that holds from here on in the line."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """An action that the character proposes at this point of the line. ``args`` is as the model gave it, unchecked."""

    id: str
    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Audio:
    """More of the line's sound, without gaps: one channel of signed 16-bit little-endian samples."""

    pcm: bytes
    rate: int


@dataclass(frozen=True, slots=True)
class Timing:
    """When words sound, and which shape the mouth has; see `LineTiming` in events.py. Replaces what it overlaps."""

    words: tuple[tuple[int, int, int, int], ...]
    shapes: tuple[tuple[int, str], ...] = ()


ModelEvent: TypeAlias = Text | Mood | Call | Audio | Timing
Emit: TypeAlias = Callable[[ModelEvent], None]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one response; ``None`` where the server did not say.

    ``cached`` is part of ``input``; the rest tells of what kind the tokens of the first three are.
    """

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    input_text: int | None = None
    input_audio: int | None = None
    input_image: int | None = None
    cached_text: int | None = None
    cached_audio: int | None = None
    cached_image: int | None = None
    output_text: int | None = None
    output_audio: int | None = None
    seconds: float | None = None


Outcome: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]
"""How a response ended at its server."""


@dataclass(frozen=True, slots=True)
class Billed:
    """What one response of a paid model took, whether or not its words were used.

    Attributes:
        model: The model's name at its provider, as the catalogue has it.
        usage: Its tokens.
        status: How the response ended.
        line: The line it was made for.
    """

    model: str
    usage: Usage
    status: Outcome
    line: str


class Reserve(Protocol):
    """See ``reserve`` of :class:`Request`."""

    def __call__(self, model: str, audio: int = 0) -> None: ...


class Purse(Protocol):
    """Pays for one line. See ``reserve`` and ``bill`` of :class:`Request`."""

    def reserve(self, model: str, audio: int = 0) -> None: ...

    def bill(self, billed: Billed) -> None: ...


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that the character sees. ``about`` is what the game says it shows, ``detail`` how closely to look."""

    mime: Literal["image/png", "image/jpeg"]
    data: bytes
    about: str = ""
    detail: Literal["low", "high"] = "low"

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True)
class Spoken:
    """How a line ended well. ``length``: the model hit its token limit; ``bark``: it only had a filler."""

    model: str
    reason: Literal["stop", "length", "bark"] = "stop"
    usage: Usage = Usage()
    topic: str | None = None
    """The authored topic that answered, for `/why` and for the tests."""
    notes: tuple[str, ...] = ()
    """For `/why`: what was tried before and why it did not speak."""


@dataclass(frozen=True, slots=True)
class Request:
    """One line to be spoken.

    Attributes:
        line: The line's id.
        persona: Who speaks.
        prompt: What a language model is told, in named parts.
        text: What the player said, cleaned.
        player: The player's id.
        facts: What the game says is so. Gates have decided the prompt already; authored topics use them too.
        said: The character's latest lines to this player, newest last, so that a model can avoid saying them again.
        asked: Ids of topics that this player already had an answer to.
        actions: The actions it may propose now, as JSON Schema function tools by name.
        max_tokens: At most so many tokens of answer.
        seed: Decides every free choice: the same request with the same seed gives the same line.
        patience_s: Whoever asks gives up if no word has come by then. A model that knows it will take longer says so
            at once, with ``not_ready``.
        images: What the character sees, for models that can look.
        voice: The voice to speak the line with; None asks for words only.
        reserve: Called with the model's name, and the most tokens of sound that it may give, before each request to a
            paid model; it raises when that is over the budget. Each call is followed by one of ``bill``, once the
            request has been made.
        bill: Told of every response of a paid model once: cancelled, failed and given up ones too, maybe after
            ``speak`` has returned.
    """

    line: str
    persona: Persona
    prompt: Prompt
    text: str
    player: str = "player"
    facts: Mapping[str, Fact] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()
    actions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    max_tokens: int = 160
    seed: int = 0
    patience_s: float | None = None
    images: tuple[Image, ...] = ()
    voice: str | None = None
    reserve: Reserve = lambda model, audio=0: None
    bill: Callable[[Billed], None] | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a model can speak, for `townsfolk doctor`. ``detail`` says with what, or why not and what to do."""

    ok: bool
    detail: str


class Model(Protocol):
    """Anything that speaks a line.

    ``name`` is stable for as long as the model lives, such as ``authored`` or ``realtime:gpt-realtime-2.1-mini``.
    """

    @property
    def name(self) -> str: ...

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        """Speaks one line; returns when it is whole. Cancelling the task stops the model and frees what it holds.

        Raises:
            ModelError: It cannot speak, or stopped in mid-line. What was emitted stays emitted: it is never repeated.
        """
        ...

    async def warm(self, persona: Persona) -> None:
        """Prepares for a character that the player may soon talk to. Never raises; may do nothing."""
        ...

    async def health(self) -> Health:
        """Looks whether the model could speak now, without spending money. Never raises."""
        ...

    async def close(self) -> None:
        """Gives back sockets, threads and processes. May be called twice."""
        ...
