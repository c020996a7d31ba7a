"""Every mistake that authored files can hold: a stable code, a message and a hint. Finds none; `cast.py` does.

``python -m townsfolk.problems`` prints docs/problems.md, which the tests hold to this table.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

__all__ = [
    "RULES",
    "Finding",
    "Path",
    "Problem",
    "Rule",
    "did_you_mean",
    "field_name",
    "kind_of",
    "listed",
    "problem",
    "tidy_id",
]

Path: TypeAlias = tuple[str | int, ...]
"""Where in a file: keys and list positions, such as ``("topics", "mine", "asks", 2)``."""

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of mistake. ``message`` and ``hint`` have gaps such as ``{name}`` that each problem fills."""

    code: str
    severity: Severity
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake at a path, not yet at a line. ``on_key`` points at the key rather than at what follows it."""

    code: str
    path: Path
    values: Mapping[str, Any]
    on_key: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file. ``line`` and ``column`` count from 1, as editors do.

    ``field`` names the place in words that a writer knows: ``topics.mine.asks[3]`` is the third of the list.
    """

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    field: str
    message: str
    hint: str

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}:{self.column}: {self.code} {self.severity}: {self.message}"
        return f"{head}\n    hint: {self.hint}"


def field_name(path: Path) -> str:
    """``topics.mine.asks[3]``: list positions count from 1."""
    name = ""
    for step in path:
        name += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def problem(code: str, file: str, line: int, column: int, path: Path = (), **values: Any) -> Problem:
    """Fills the gaps of a rule. ``{field}`` and ``{last}`` (its last step) are always there."""
    rule = RULES[code]
    last = next((str(step) for step in reversed(path) if isinstance(step, str)), "the file")
    fill = {"field": field_name(path) or "the file", "last": last}
    fill |= {key: each if key in ("guess", "choices") else _brief(each) for key, each in values.items()}
    message, hint = rule.message.format_map(fill), rule.hint.format_map(fill)
    return Problem(code, rule.severity, file, line, column, field_name(path), message, hint)


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """`` Did you mean `...`?`` with the nearest of ``choices``, or nothing when none is near."""
    near = difflib.get_close_matches(name.lower(), list(choices), n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near else ""


def listed(choices: Iterable[str]) -> str:
    """``one, two, three``, cut where it would grow long; ``(none)`` of nothing."""
    names = list(choices)
    return ", ".join(names[:20] + (["..."] if len(names) > 20 else [])) or "(none)"


def tidy_id(text: str) -> str:
    """The nearest thing to ``text`` that can be an id, such as ``old_joss`` for ``Old Joss``; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "_", plain.lower()).strip("_").lstrip("0123456789_")[:48]


def kind_of(value: object) -> str:
    """What ``value`` is, in a writer's words."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list | tuple) else "a group of fields"


def _brief(value: object) -> str:
    """``value`` as an author would write it, cut so that a message stays one line."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif value is None:
        text = "null"
    else:
        text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


_TABLE: Final[tuple[tuple[str, Severity, str, str], ...]] = (
    # The file as a whole, and how it is written.
    ("P001", "error", "This cannot be read as YAML: {reason}.",
     "Compare the line and the one above it with docs/personas.md."),
    ("P002", "error", "A quote opens here and is never closed.",
     "Close it with {quote}, or leave both quotes out."),
    ("P003", "error", "This line is indented with a tab.",
     "Use spaces, two for each level; most editors can turn tabs into spaces."),
    ("P004", "error", "The file is empty.",
     "Start from the example in docs/personas.md."),
    ("P005", "error", "The file must be made of fields such as `name:` and `description:`, but it is {what}.",
     "Write `field: text` lines; docs/personas.md shows a whole file."),
    ("P006", "error", "The file is not UTF-8 text: there is a stray byte {byte} here.",
     "Save the file as UTF-8; a quote or a dash pasted from elsewhere is often the cause."),
    ("P007", "error", "The file is saved as UTF-16.",
     "Save it as UTF-8: editors offer this under `Save as` or `Encoding`."),
    ("P008", "error", "The file is larger than {limit}.",
     "Split it: a persona is one character, and pictures belong beside the file."),
    ("P009", "error", "Things are nested more than {limit} deep here.",
     "No field needs that; look for brackets or dashes that were typed by mistake."),
    ("P010", "error", "`*{name}` repeats so much that the file would become huge.",
     "Write the text out instead of repeating it by `*{name}`."),
    ("P011", "error", "`{tag}` is a YAML tag, and tags are not used here.",
     "Put the text in double quotes if it begins with an exclamation mark; else remove the tag."),
    ("P012", "error", "`{last}` is given twice; the first is on line {first}.",
     "Keep one of them, or give this one a name of its own."),
    ("P013", "error", "There is an invisible control character ({char}) here.",
     "Delete it and type the text again."),
    ("P014", "error", "A second document begins here.",
     "Remove the line `---`; one file holds one character."),
    ("P015", "error", "The name of a field must be plain text.",
     "Write `name: ...`; brackets and lists cannot stand before the colon."),
    ("P016", "error", "The file cannot be read: {reason}.",
     "Check that it is a file and that you may read it."),
    ("P017", "error", "A colon in the middle of this text reads as the start of a new field.",
     "Put the whole text in double quotes."),
    ("P018", "error", "A text cannot begin with `{char}` unless it stands in quotes.",
     "Put the whole text in double quotes."),
    ("P019", "error", "The text goes on after its closing quote.",
     "Put the whole text in quotes, and use the other kind of quote inside it."),
    ("P020", "error", "This line is not indented like those that it belongs to.",
     "Begin it exactly under its neighbours; also look whether the line above lacks its colon or a closing quote."),
    ("P021", "error", "This line is neither `field: text` nor a list item.",
     "Add the colon after the field's name, or indent the line if it goes on from the one above."),
    ("P022", "error", "A backslash in double quotes does not go with what follows it.",
     "Write two backslashes, or use single quotes."),
    ("P023", "error", "The number {value} is too large.",
     "Use a smaller number, or put it in quotes if it is meant as text."),
    ("P024", "error", "`*{name}` repeats what was marked with `&{name}`, and nothing was.",
     "Put the text in double quotes if it begins with a star."),
    # What the fields hold.
    ("P030", "error", "There is no field `{last}` here.{guess}",
     "Fields that may stand here: {choices}."),
    ("P031", "error", "{owner} has no `{name}`.",
     "Add `{name}:`; docs/personas.md says what belongs in it."),
    ("P032", "error", "`{field}` should be text, but {value} is {what}.",
     "Put it in double quotes."),
    ("P033", "error", "`{field}` should be one text, but it is a list.",
     "Write one text without dashes or square brackets; put text that begins with a bracket in double quotes."),
    ("P034", "error", "`{field}` should be text, but a colon turns it into a field.",
     "Put the whole text in double quotes."),
    ("P035", "error", "`{field}` should be a list, but it is {what}.",
     "Write each item on a line of its own that begins with a dash."),
    ("P036", "error", "`{field}` should hold fields of its own, but it is {what}.",
     "Write its fields indented on the lines below it: {choices}."),
    ("P037", "error", "`{field}` should be a number, but it is {what}.",
     "Write a number such as 1 or 0.5, without quotes."),
    ("P038", "error", "`{field}` should be a whole number, not {value}.",
     "Leave out the decimal point."),
    ("P039", "error", "`{field}` is {value}, which is out of range.",
     "Use a number {range}."),
    ("P040", "error", "`{field}` is empty.",
     "Write something after it, or remove it if the character can do without."),
    ("P041", "error", "`{field}` is too long: {length} characters, and at most {limit} fit.",
     "Shorten it, or split it into several."),
    ("P042", "error", "`{field}` is a list with nothing in it.",
     "Give at least one item."),
    ("P043", "error", "`{name}` cannot be a name in files.{guess}",
     "Use up to 48 lower case letters, digits and _, beginning with a letter."),
    ("P044", "error", "`{field}` cannot be {value}.{guess}",
     "Choose one of: {choices}."),
    ("P045", "error", "`barks` has no `{name}`.",
     "Add `{name}:` with a line or more that the character says {moment}."),
    ("P046", "error", "The topic `{topic}` has no `{name}`.",
     "A topic needs `asks` (ways a player may ask) and `says` (ways to answer)."),
    ("P047", "error", "This example has no `{name}`.",
     "An example needs both `player` (what is said to the character) and `answer`."),
    ("P048", "error", "The lore `{entry}` has no `keys`.",
     "Add `keys:` with the words that should bring it to the character's mind."),
    ("P049", "error", "`{field}` should be true or false, but it is {what}.",
     "Write `true` or `false` without quotes, or leave it out."),
    # Gates.
    ("P050", "error", "A gate should name facts and what they must be, but it is {what}.",
     "Write `when: {{fact_name: true}}`, or the facts on indented lines below `when:`."),
    ("P051", "error", "`{op}` is no way to compare `{fact}`.{guess}",
     "Use at_least, at_most or not."),
    ("P052", "error", "`{op}` compares `{fact}` with {value}, which is no number.",
     "Give a number without quotes; to compare text write `{fact}: the text`."),
    ("P053", "error", "`{fact}` is compared with nothing, so this gate can never open.",
     "Say what `{fact}` must be, or remove it."),
    ("P054", "error", "`{fact}` cannot be the name of a fact.{guess}",
     "Use up to 48 lower case letters, digits and _, beginning with a letter."),
    ("P055", "error", "`any` should be a list of gates, one of which must be open.",
     "Write each gate on a line of its own that begins with a dash: `- {{fact_name: true}}`."),
    ("P056", "error", "`{fact}` is compared with {what}.",
     "Compare it with text, a number, true or false, or a list of those."),
    ("P057", "error", "No fact `{fact}` is declared in world.yaml.{guess}",
     "Declare it under `facts:` in world.yaml, or correct its name."),
    ("P058", "error", "`{fact}` starts as {start}, so it can never be {value}.",
     "Compare it with {kind}, as world.yaml declares it."),
    ("P059", "warning", "This gate can never open: `{fact}` would have to be two things at once.",
     "Use `any:` with two gates if one of them is enough."),
    ("P060", "error", "This secret has no gate, so the character would tell it to anyone.",
     "Add `when:` with what must be so before it may be told, or move it to `knows`."),
    ("P061", "warning", "`{field}` has no gate, but gives away `{secret}` (line {there}) word for word.",
     "Give it the secret's gate, or write it so that it does not tell."),
    ("P062", "error", "A fact cannot be called `any`: gates use that word.",
     "Give the fact another name."),
    ("P063", "error", "The fact `{fact}` cannot start as {what}.",
     "Start it as text, a number, true or false."),
    # What the files say about each other.
    ("P070", "error", "The character has no action `{name}`.{guess}",
     "Describe it under `actions:`, or correct its name."),
    ("P071", "error", "The action `{action}` has no argument `{name}`.{guess}",
     "Its arguments are: {choices}."),
    ("P072", "error", "The action `{action}` also needs `{name}`.",
     "Add `{name}:` under `args:`."),
    ("P073", "error", "`{field}` should be {wanted}, but it is {what}.",
     "The action `{action}` declares it so under `actions:`."),
    ("P074", "error", "The action `{action}` does not allow {value} as `{last}`.{guess}",
     "It allows one of: {choices}."),
    ("P075", "error", "There is no character `{name}` in this folder.{guess}",
     "Use the name of a character's folder: {choices}."),
    ("P076", "error", "A character cannot have a relation to themselves.",
     "Say it in `description`, or name another character."),
    ("P077", "error", "`known_by` names `{name}`, but there is no such character in this folder.{guess}",
     "Use names of characters' folders ({choices}), or `everyone`."),
    ("P078", "error", "There is no picture `{name}` beside the persona file.{guess}",
     "Put the picture there, correct its name (capital letters count), or remove `portrait`."),
    ("P079", "error", "The picture `{name}` lies outside the character's folder.",
     "Put it beside persona.yaml and write only its name."),
    ("P080", "warning", "`{ask}` is also asked in the topic `{other}` (line {there}); only one of them can answer.",
     "Word one of them differently, or give the topics gates that are never open together."),
    ("P081", "warning", "`{field}` repeats item {first} of the same list.",
     "Write another line, or remove this one."),
    ("P082", "error", "`one_of` goes with text only, but `{name}` is a {kind}.",
     "Remove `one_of`, or make the argument `type: text`."),
    ("P083", "error", "This rule names nothing that would call the stronger model.",
     "Give it `words`, `sentiment`, `complexity` or `when`, or remove it."),
    # The folder.
    ("P090", "warning", "The folder `{name}` has no persona.yaml, so it is left out.{guess}",
     "Add `{name}/persona.yaml`, or move the folder elsewhere."),
    ("P091", "error", "There are no characters in this folder.",
     "Give a folder that holds NAME/persona.yaml files; `townsfolk new DIR` makes one."),
    ("P092", "warning", "There is no world.yaml, so the characters share no place and no facts.",
     "Add world.yaml with `name` and `description`; docs/personas.md shows one."),
    ("P093", "error", "The folder `{name}` cannot be a character's name in files.{guess}",
     "Rename it: up to 48 lower case letters, digits and _, beginning with a letter."),
    ("P094", "error", "`id` says `{value}`, but the folder is called `{name}`.",
     "Remove `id`: a character's id is the name of the folder."),
    ("P095", "warning", "`{name}` is also the name of the character `{other}`.",
     "Give one of them another name, or players cannot tell them apart."),
    ("P099", "error", "From here on there are {count} more problems in this file, which are not listed.",
     "Mend those above first; many problems often have one cause."),
)  # fmt: skip

RULES: Final[Mapping[str, Rule]] = {code: Rule(code, severity, *words) for code, severity, *words in _TABLE}
"""All rules by code. A code keeps its meaning for ever; one that is no longer needed is not used again."""


def _page() -> str:
    rows = "\n".join(f"| {r.code} | {r.severity} | {r.message} | {r.hint} |" for r in RULES.values())
    return (
        "# What `townsfolk check` may say\n\n"
        "Each mistake has a code that never changes its meaning, the place where it is, and a hint:\n\n"
        "```\n"
        "characters/bram/persona.yaml:41:7: P030 error: There is no field `ask` here. Did you mean `asks`?\n"
        "    hint: Fields that may stand here: asks, says, again, when, does, cue, escalate.\n"
        "```\n\n"
        "`41:7` is line 41, column 7. An *error* must be mended before the characters can be played; a *warning* need\n"
        "not. Words in braces are filled in. This page is made by `python -m townsfolk.problems`.\n\n"
        f"| code | | message | hint |\n|---|---|---|---|\n{rows}\n"
    )


if __name__ == "__main__":
    print(_page(), end="")
