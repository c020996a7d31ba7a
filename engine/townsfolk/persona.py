"""Who a character is: the shape of a persona file. Reads no files; `cast.py` does, and gives each mistake its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from townsfolk.gates import Gate, GateError, parse_gate
from townsfolk.ids import is_id

__all__ = [
    "Action",
    "Argument",
    "Barks",
    "Escalation",
    "Example",
    "Goal",
    "Knowledge",
    "ModelHints",
    "Persona",
    "Relation",
    "Topic",
    "tool",
]


def _gate(data: object) -> Gate:
    if isinstance(data, Gate):
        return data
    try:
        return parse_gate(data)
    except GateError as error:
        raise PydanticCustomError("gate", "{reason}", {"reason": str(error), "field": error.field}) from None


def _id(text: object) -> object:
    if isinstance(text, str) and not is_id(text):
        raise PydanticCustomError("bad_id", "{text!r} is no id", {"text": text})
    return text


def _listed(data: object) -> object:
    """One line may stand where a list of lines is meant."""
    return [data] if isinstance(data, str) else data


def _prose(key: str) -> BeforeValidator:
    """Plain prose may stand where a mapping is meant, when only its main field is given."""
    return BeforeValidator(lambda data: {key: data} if isinstance(data, str) else data)


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
Lines = Annotated[tuple[Short, ...], BeforeValidator(_listed), Field(min_length=1)]
Id = Annotated[str, BeforeValidator(_id)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
When = Annotated[Gate, BeforeValidator(_gate), PlainSerializer(lambda gate: repr(gate), return_type=str)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Goal(_Part):
    """Something the character wants. Plain prose will do."""

    want: Text
    when: When = Gate()


class Example(_Part):
    """A model exchange: what a player says, and how this character would answer."""

    player: Text
    answer: Text


class Knowledge(_Part):
    """Something the character knows, or (as a secret) hides. Not in any prompt while its gate is shut."""

    fact: Text
    when: When = Gate()


class Argument(_Part):
    """One argument of an action."""

    type: Literal["text", "number", "flag"] = "text"
    description: Short = ""
    one_of: tuple[Short, ...] = ()


class Action(_Part):
    """Something the character may propose that the game does. The game decides."""

    description: Text
    args: dict[Id, Argument] = Field(default_factory=dict)
    when: When = Gate()


class Does(_Part):
    """An action that goes with a topic's answer."""

    action: Id
    args: dict[Id, Any] = Field(default_factory=dict)


class Topic(_Part):
    """What a player may ask about, and the lines that answer it.

    Attributes:
        asks: Sample ways to ask; any wording of the same meaning will find them.
        says: Ways to answer; each is whole in itself.
        again: Ways to answer when this player asks once more. Without them, `says` is varied.
        when: The gate. While it is shut the topic does not exist.
        does: An action that the character proposes with the answer.
        cue: The mood shown with the answer, such as ``sad`` or ``angry``.
        escalate: Whether the stronger model answers, where there is one; these lines are said when it cannot.
    """

    asks: Lines
    says: Lines
    again: tuple[Short, ...] = ()
    when: When = Gate()
    does: Does | None = None
    cue: Short | None = None
    escalate: Annotated[bool, Field(strict=True)] = False


class Barks(_Part):
    """Authored fillers, each a list of lines: the character's voice when there is nothing else to say."""

    greeting: Lines
    """Said when a conversation opens."""
    thinking: Lines
    """Said while a model is slow."""
    busy: Lines
    """Said when the character cannot talk now."""
    offline: Lines
    """Said when no model can be reached at all."""
    farewell: Lines
    """Said when the player takes leave."""
    deflect: Lines
    """Said when nothing the character knows fits what the player said."""


class Relation(_Part):
    """What this character thinks of another. Plain prose will do."""

    about: Text
    axes: dict[Id, Number] = Field(default_factory=dict)
    """Starting values of authored axes, such as ``trust: 2``."""


class Escalation(_Part):
    """When a stronger model is to be asked: any of these is enough, while the gate is open. A gate alone is enough too.

    Attributes:
        words: Words or phrases in what the player says.
        sentiment: Feeling at least this strong in it, from 0 to 1; see `sentiment.py`.
        complexity: Thinking at least this hard to be done for it, from 0 to 1; see `escalation.py`.
        when: The gate. While it is shut the rule does not exist.
    """

    words: Annotated[tuple[Short, ...], BeforeValidator(_listed)] = ()
    sentiment: Annotated[Number, Field(ge=0, le=1)] | None = None
    complexity: Annotated[Number, Field(ge=0, le=1)] | None = None
    when: When = Gate()


def _rules(data: object) -> object:
    """One rule may stand where a list of rules is meant."""
    return [data] if isinstance(data, Mapping) else data


Rules = Annotated[tuple[Escalation, ...], BeforeValidator(_rules)]


class ModelHints(_Part):
    """Which model should speak for this character, and how."""

    prefer: Literal["auto", "realtime", "text", "local", "authored", "scripted"] = "auto"
    max_tokens: int = Field(default=160, ge=16, le=2000, strict=True)
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    escalate: Rules = ()
    """When a stronger model is asked, besides the world's rules."""


class Voice(_Part):
    """How the character sounds, per speech engine."""

    realtime: Short | None = None
    local: Short | None = None
    speed: Annotated[Number, Field(ge=0.25, le=1.5)] = 1.0


class Persona(_Part):
    """A whole persona file. ``id`` is the name of its folder."""

    id: Id
    name: Short
    role: Short = ""
    """A few words on who this is, for lists and name tags: ``innkeeper of the Drowned Bell``."""
    description: Text
    manner: Text
    """How the character talks."""
    goals: tuple[Annotated[Goal, _prose("want")], ...] = ()
    examples: tuple[Example, ...] = ()
    barks: Barks
    topics: dict[Id, Topic] = Field(default_factory=dict)
    knows: tuple[Annotated[Knowledge, _prose("fact")], ...] = ()
    secrets: tuple[Knowledge, ...] = ()
    actions: dict[Id, Action] = Field(default_factory=dict)
    relations: dict[Id, Annotated[Relation, _prose("about")]] = Field(default_factory=dict)
    model: ModelHints = ModelHints()
    voice: Voice = Voice()
    portrait: Short | None = None
    """A picture beside the persona file."""

    @model_validator(mode="after")
    def _secrets_are_gated(self) -> Persona:
        for n, secret in enumerate(self.secrets):
            if secret.when == Gate():
                raise PydanticCustomError("open_secret", "secret {n} has no gate", {"n": n, "path": ["secrets", n]})
        for id, topic in self.topics.items():
            if topic.does is not None and topic.does.action not in self.actions:
                raise PydanticCustomError(
                    "unknown_action",
                    "{action!r} is not among the character's actions",
                    {"action": topic.does.action, "path": ["topics", id, "does", "action"]},
                )
        return self


def tool(action: Action) -> dict[str, Any]:
    """An action as a JSON Schema function tool."""
    properties: dict[str, Any] = {}
    for id, arg in action.args.items():
        properties[id] = {"type": {"text": "string", "number": "number", "flag": "boolean"}[arg.type]}
        if arg.description:
            properties[id]["description"] = arg.description
        if arg.one_of:
            properties[id]["enum"] = list(arg.one_of)
    return {
        "description": action.description,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
    }
