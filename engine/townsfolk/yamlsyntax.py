"""What a YAML parser's complaint means to a writer: which code of `problems.py` it is, and where. Parses nothing."""

from __future__ import annotations

import re
from typing import Any

from yaml.error import MarkedYAMLError

__all__ = ["explain"]

_ITEM = re.compile(r"\s*(?:- +)*(?:[\w-]+: +)?(\S?)")
_SPECIAL = "*&@`%![]{}|>,?"
_ALONE = re.compile(r"\s*(?:- +)*[\w-]+\s*\Z")


def explain(error: MarkedYAMLError, text: str) -> tuple[str, int, int, dict[str, Any]]:
    """The code, line, column (both from 1) and values of a syntax error in ``text``."""
    said, context = str(error.problem or ""), str(error.context or "")
    mark = error.problem_mark or error.context_mark
    opened = error.context_mark or mark
    if mark is None or opened is None:
        return "P001", 1, 1, {"reason": said or "it breaks off"}
    lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)
    line = lines[mark.line] if mark.line < len(lines) else ""

    def here(code: str, **values: Any) -> tuple[str, int, int, dict[str, Any]]:
        return code, mark.line + 1, mark.column + 1, values

    if "quoted scalar" in context:
        if "escape" in said or "hexdecimal" in said or "Unicode" in said:
            return here("P022")
        quote = lines[opened.line][opened.column : opened.column + 1] if opened.line < len(lines) else '"'
        return "P002", opened.line + 1, opened.column + 1, {"quote": quote}
    if "tab character" in said or line[: mark.column + 1].endswith("\t"):
        return here("P003")
    if "mapping values are not allowed" in said:
        return here("P020") if _ALONE.match(line[: mark.column]) else here("P017")
    if "expected ':'" in said and "simple key" in context:
        return "P021", opened.line + 1, opened.column + 1, {}
    first = _ITEM.match(line)
    char = first[1] if first else ""
    if char and first is not None and first.start(1) <= mark.column:
        column = first.start(1) + 1
        if char in _SPECIAL:
            return "P018", mark.line + 1, column, {"char": char}
        if char in "\"'" and line[: mark.column].rstrip()[-1:] == char:
            return "P019", mark.line + 1, column, {}
    if any(word in context for word in ("alias", "anchor", "directive", "tag", "block scalar")):
        return here("P018", char=line[opened.column : opened.column + 1] if opened.line == mark.line else char)
    if "did not find expected key" in said or "expected '-'" in said:
        # Text in quotes that spans lines ends just before the mark.
        return here("P019") if line[: mark.column].rstrip()[-1:] in ('"', "'") else here("P020")
    if "entries are not allowed" in said:
        return here("P020")
    return here("P001", reason=said or "it breaks off")
