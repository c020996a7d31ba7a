"""YAML to plain data, with the line and column of everything in it. Knows nothing of personas, and opens no file.

It reads the core of YAML 1.2, so that a writer's words stay words: only ``true`` and ``false`` are booleans and only
``null``, ``~`` and nothing at all are null; ``no``, ``on``, ``12:30``, ``2024-01-01``, ``.inf`` and ``<<`` are text.
It never raises: what is wrong with the source is in ``Document.flaws``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from townsfolk.problems import Path
from townsfolk.yamlsyntax import explain

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Document", "Flaw", "Marks", "parse"]

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 16
_MAX_WEIGHT: Final = 2 * MAX_BYTES  # what a file may grow to by aliases, in characters and nodes
_INT64: Final = 2**63

_NUMBER = re.compile(r"[-+]?(?:[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)\Z")
_WORDS: Final = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: word[0] in "tT" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with the source itself; ``code`` is one of `problems.py`. Lines and columns count from 1."""

    code: str
    line: int
    column: int
    path: Path = ()
    values: Mapping[str, Any] = field(default_factory=dict)


class Marks:
    """Where a mapping or a list stands, and its keys, its values and what is inside them."""

    __slots__ = ("inside", "keys", "start", "values")

    def __init__(self, start: Any) -> None:
        self.start = start
        self.keys: dict[str | int, Any] = {}
        self.values: dict[str | int, Any] = {}
        self.inside: dict[str | int, Marks] = {}

    def find(self, path: Path, *, on_key: bool = False) -> tuple[int, int]:
        """Line and column of what is at ``path``, or of the nearest thing around it.

        For a mapping or a list that is the key it belongs to, since that is the line an author looks for.
        """
        marks, mark = self, self.start
        for step in path:
            if step not in marks.values:
                break
            inside = marks.inside.get(step)
            value = marks.values[step]
            mark = marks.keys.get(step, value) if on_key or inside is not None or value is None else value
            if inside is None:
                break
            marks = inside
        return mark.line + 1, mark.column + 1


@dataclass(frozen=True, slots=True)
class Document:
    """What a source holds. ``ok`` is false when it could not be read to its end; ``data`` is then ``None``."""

    data: Any
    marks: Marks
    flaws: tuple[Flaw, ...]
    ok: bool


class _Stop(Exception):
    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw


@dataclass(slots=True)
class _Open:
    """A mapping or a list that is being read. A key that is given twice keeps its first value."""

    data: Any
    marks: Marks
    anchor: str | None
    key: str | None = None
    drop: bool = False
    weight: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Start:
    line: int = 0
    column: int = 0


def parse(source: bytes) -> Document:
    """Reads one YAML document. Never raises."""
    reader = _Reader()
    try:
        reader.read(_decode(source))
    except _Stop as stop:
        return Document(None, Marks(_Start()), (*reader.flaws, stop.flaw), ok=False)
    return Document(reader.data, reader.marks, tuple(reader.flaws), ok=True)


def _decode(source: bytes) -> str:
    if len(source) > MAX_BYTES:
        raise _Stop(Flaw("P008", 1, 1, (), {"limit": f"{MAX_BYTES // 1024} KiB"}))
    if source[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in source[:4]:
        raise _Stop(Flaw("P007", 1, 1))
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source[: error.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        raise _Stop(Flaw("P006", line, column, (), {"byte": f"{source[error.start]:#04x}"})) from None
    if found := _UNREADABLE.search(text):
        before_char = text[: found.start()]
        line, column = before_char.count("\n") + 1, len(before_char.rpartition("\n")[2]) + 1
        raise _Stop(Flaw("P013", line, column, (), {"char": f"U+{ord(found[0]):04X}"}))
    return text


class _Reader:
    """Builds data from the parser's events, without recursion: depth is bounded before anything is built."""

    def __init__(self) -> None:
        self.data: Any = None
        self.marks = Marks(_Start())
        self.flaws: list[Flaw] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, Marks | None, int, int]] = {}
        self._total = 0

    def read(self, text: str) -> None:
        documents = 0
        parser = CParser(text)
        try:
            while parser.check_event():
                event: Any = parser.get_event()
                kind = type(event)
                if kind is ScalarEvent:
                    self._scalar(event)
                elif kind is MappingStartEvent or kind is SequenceStartEvent:
                    self._open(event, {} if kind is MappingStartEvent else [])
                elif kind is MappingEndEvent or kind is SequenceEndEvent:
                    self._close()
                elif kind is AliasEvent:
                    self._alias(event)
                elif kind is DocumentStartEvent:
                    documents += 1
                    if documents > 1:
                        self._stop("P014", event.start_mark)
        except MarkedYAMLError as error:
            code, line, column, values = explain(error, text)
            raise _Stop(Flaw(code, line, column, self._path(), values)) from None
        if documents == 0:
            raise _Stop(Flaw("P004", 1, 1))

    def _scalar(self, event: Any) -> None:
        text, top = event.value, self._stack[-1] if self._stack else None
        if event.tag is not None:
            self._stop("P011", event.start_mark, tag=_tag(event.tag))
        if (found := _CONTROL.search(text)) is not None:
            self._flaw("P013", event.start_mark, char=f"U+{ord(found[0]):04X}")
        if top is not None and top.key is None and isinstance(top.data, dict):
            self._key(top, text, event)
            return
        value: Any = text
        if event.implicit[0]:  # plain: no quotes, no block
            if text in _WORDS:
                value = _WORDS[text]
            elif _NUMBER.match(text):
                value = self._number(text, event)
        weight = 1 + len(text)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, None, weight, 0)
        self._put(value, event.start_mark, None, weight, 0)

    def _number(self, text: str, event: Any) -> int | float:
        digits = text.lstrip("+-")
        if digits[:2] in ("0x", "0o"):
            number: int | float = int(digits[:2000], 0) * (-1 if text[0] == "-" else 1)
        elif digits.isdigit():
            number = int(text[:2000])
        else:
            number = float(text)
        if math.isinf(number) if isinstance(number, float) else not -_INT64 <= number < _INT64:
            self._flaw("P023", event.start_mark, value=text)
            return 0
        return number

    def _key(self, top: _Open, text: str, event: Any) -> None:
        top.weight += 1 + len(text)
        if text in top.data:
            first = top.marks.keys[text].line + 1
            top.key = text
            self.flaws.append(_flaw("P012", event.start_mark, self._path(), first=first))
            top.drop = True
            return
        top.key = text
        top.marks.keys[text] = event.start_mark

    def _open(self, event: Any, data: Any) -> None:
        self._no_key(event)
        if event.tag is not None:
            self._stop("P011", event.start_mark, tag=_tag(event.tag))
        if len(self._stack) >= MAX_DEPTH:
            self._stop("P009", event.start_mark, limit=MAX_DEPTH)
        self._stack.append(_Open(data, Marks(event.start_mark), event.anchor))

    def _close(self) -> None:
        done = self._stack.pop()
        if done.anchor is not None:
            self._anchors[done.anchor] = (done.data, done.marks, done.weight, done.height)
        self._put(done.data, done.marks.start, done.marks, done.weight, done.height)

    def _alias(self, event: Any) -> None:
        self._no_key(event)
        known = self._anchors.get(event.anchor)
        if known is None:
            inside_itself = any(each.anchor == event.anchor for each in self._stack)
            self._stop("P010" if inside_itself else "P024", event.start_mark, name=event.anchor)
        value, marks, weight, height = known
        self._total += weight
        if self._total > _MAX_WEIGHT:
            self._stop("P010", event.start_mark, name=event.anchor)
        if len(self._stack) + height > MAX_DEPTH:
            self._stop("P009", event.start_mark, limit=MAX_DEPTH)
        self._put(value, event.start_mark, marks, weight, height)

    def _put(self, value: Any, mark: Any, marks: Marks | None, weight: int, height: int) -> None:
        if not self._stack:
            self.data = value
            self.marks = marks or Marks(mark)
            return
        top = self._stack[-1]
        top.weight += weight
        top.height = max(top.height, height + 1)
        if isinstance(top.data, list):
            step: str | int = len(top.data)
            top.data.append(value)
        else:
            assert top.key is not None
            step, top.key = top.key, None
            if top.drop:
                top.drop = False
                return
            top.data[step] = value
        top.marks.values[step] = None if value is None else mark
        if marks is not None:
            top.marks.inside[step] = marks
        if step not in top.marks.keys:
            top.marks.keys[step] = mark

    def _no_key(self, event: Any) -> None:
        """Only text may stand where a key is due."""
        if self._stack and self._stack[-1].key is None and isinstance(self._stack[-1].data, dict):
            self._stop("P015", event.start_mark)

    def _path(self) -> Path:
        path: list[str | int] = []
        for each in self._stack:
            if isinstance(each.data, list):
                path.append(len(each.data))
            elif each.key is not None:
                path.append(each.key)
        return tuple(path)

    def _flaw(self, code: str, mark: Any, **values: Any) -> None:
        self.flaws.append(_flaw(code, mark, self._path(), **values))

    def _stop(self, code: str, mark: Any, **values: Any) -> NoReturn:
        raise _Stop(_flaw(code, mark, self._path(), **values))


def _flaw(code: str, mark: Any, path: Path, **values: Any) -> Flaw:
    return Flaw(code, mark.line + 1, mark.column + 1, path, values)


def _tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!", 1)
