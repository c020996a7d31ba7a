"""What a host is started with. Values only; keys and other secrets come from the environment, never from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from townsfolk.catalogue import REALTIME, TEXT
from townsfolk.errors import UsageError
from townsfolk.keyshape import no_keys
from townsfolk.prompt import BUDGET

__all__ = ["Config"]


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of a host.

    Attributes:
        characters: The folder of personas.
        save: The file that memory is kept in; None keeps nothing.
        model: What speaks; see `router.py`.
        budget: Input tokens of one line, at most.
        realtime_model: The realtime model's name.
        realtime_url: The realtime server, such as ``ws://127.0.0.1:8765/v1``; OpenAI's when None.
        realtime_sockets: Connections to it, at most; each carries several lines at once.
        realtime_in_flight: Lines at once on each of them; 1 for servers that take only one.
        text_url: The chat completions server, such as ``http://127.0.0.1:11434/v1``; OpenAI's when None.
        text_model: The text model's name.
        realtime_sees: Whether the realtime model takes pictures; None goes by its name, and takes a server other than
            OpenAI's or Azure's for blind.
        text_sees: The same for the text model.
        picture_model: What describes pictures, once each, for characters whose model cannot see: ``realtime`` or
            ``text``; None leaves them to the game's own words.
        picture_detail: How closely pictures are looked at: ``low`` (about 85 tokens) or ``high``.
        picture_lines: A picture stays in view for so many lines of a character,
        picture_seconds: and for so many seconds at most.
        gguf: The local model's file; None looks for one (see docs/models.md).
        words_per_second: The pace of authored lines; None gives them at once.
        voice: What says lines aloud: ``tones``, or ``realtime``; None leaves them written.
        ear: What understands players who speak: ``tones`` or ``realtime``; None lets them type only.
        ear_model: What transcribes for the realtime ear.
        ear_language: The players' language for it, as in ISO 639-1; None leaves it to the model.
        overlap: Whether characters of one game may talk over each other.
        budget_usd_day: US dollars that paid models may cost a day (UTC); None is no limit.
        budget_usd_player_day: The same for each player.
        budget_requests_day: Requests to paid models a day.
        budget_requests_player_day: The same for each player.
        budget_soft: From this share of a limit on, only ``cheaper`` is asked.
        strong: The model that is asked for lines which a rule puts on to it, such as ``text:gpt-6.1-sol``.
        opening: Whether the usual model says a sentence meanwhile that commits to nothing.
        answers: Answers of paid models that are kept to be given again; 0 keeps none.
        answers_seconds: How long one is good.
        cheaper: The model for that, such as ``text:gpt-6-luna``; None goes on with the others to the limit.
        thinking: Seconds without a word after which the character says a thinking bark.
        first_word: Seconds that all models together have for the first word; after that an offline bark stands for the
            line.
        whole_line: Seconds after which a line ends, with what was said of it.
    """

    characters: str
    save: str | None = None
    model: str = "auto"
    budget: int = BUDGET
    realtime_model: str = REALTIME
    realtime_url: str | None = None
    realtime_sockets: int = 4
    realtime_in_flight: int = 8
    text_url: str | None = None
    text_model: str = TEXT
    realtime_sees: bool | None = None
    text_sees: bool | None = None
    picture_model: str | None = None
    picture_detail: str = "low"
    picture_lines: int = 3
    picture_seconds: float = 120.0
    gguf: str | None = None
    words_per_second: float | None = 14.0
    voice: str | None = None
    ear: str | None = None
    ear_model: str = "gpt-realtime-whisper"
    ear_language: str | None = None
    overlap: bool = False
    budget_usd_day: float | None = None
    budget_usd_player_day: float | None = None
    budget_requests_day: int | None = None
    budget_requests_player_day: int | None = None
    budget_soft: float = 0.8
    cheaper: str | None = None
    strong: str | None = None
    opening: bool = True
    answers: int = 1000
    answers_seconds: float = 3600.0
    thinking: float = 1.5
    first_word: float = 8.0
    whole_line: float = 20.0

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Config:
        """A configuration from plain data.

        Raises:
            UsageError: A setting is unknown or of the wrong kind, or holds an API key.
        """
        no_keys(**data)
        known = {field.name: str(field.type) for field in fields(cls)}
        kinds: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "float": (int, float), "bool": bool}
        for name, value in data.items():
            if name not in known:
                key = "key" in name.lower() or "token" in name.lower()
                hint = "Keys come from the environment: set OPENAI_API_KEY." if key else f"Known: {', '.join(known)}."
                raise UsageError("bad_argument", f"there is no setting {name!r}", hint=hint)
            kind, _, optional = known[name].partition(" | ")
            fits = isinstance(value, kinds[kind]) and isinstance(value, bool) == (kind == "bool")
            if not fits and not (value is None and optional):
                raise UsageError("bad_argument", f"the setting {name!r} cannot be {value!r}")
        return cls(**data)
