"""Decides whether a line is worth a stronger model, and says why. Pure: asks no model and counts no money."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from townsfolk.gates import Fact, Gate, is_open
from townsfolk.persona import Escalation, Persona
from townsfolk.sentiment import feeling
from townsfolk.wordmatch import stems

__all__ = ["complexity", "may_escalate", "reasons"]

_LONG: Final = 12
"""Words that need no more thinking than fewer."""
_LONGEST: Final = 48
_QUESTION: Final = re.compile(r"\?+")
_ASKS: Final = frozenset(stems("who whom whose what where when why how which"))
_IF: Final = frozenset(stems("if unless suppose whether otherwise assuming provided"))
_NOT: Final = frozenset(stems("not never no nobody nothing none neither nor without except"))
_REASON: Final = frozenset(
    stems(
        "why because explain reason prove proof compare difference differ better worse instead rather versus between"
        " both either should would could must contradict suspect decide choose plan convince persuade argue consequence"
        " meaning"
    )
)


def complexity(text: str) -> tuple[float, tuple[str, ...]]:
    """How much thinking an answer takes, from 0 to 1, and what told so.

    Up to 0.3 for length (12 to 48 words), 0.2 for each question after the first (0.4 at most), 0.25 for a condition
    (if, unless), 0.15 for a first word of reasoning (why, compare, should) and 0.1 for each further one (0.35 at most),
    0.1 for a denial (not, nobody). It reads English, counts words, and knows nothing of what they are about.
    """
    words = stems(text)
    heard = set(words)
    score, told = 0.0, []
    if len(words) > _LONG:
        score += 0.3 * min(1.0, (len(words) - _LONG) / (_LONGEST - _LONG))
        told.append(f"{len(words)} words")
    marks = len(_QUESTION.findall(text))
    # A question that holds two: "who was it and why did he go".
    questions = max(marks, sum(word in _ASKS for word in words) if marks or (words[:1] and words[0] in _ASKS) else 0)
    if questions > 1:
        score += min(0.4, 0.2 * (questions - 1))
        told.append(f"{questions} questions")
    if found := heard & _IF:
        score += 0.25
        told.append(f"a condition ({min(found)})")
    if found := heard & _REASON:
        score += min(0.35, 0.05 + 0.1 * len(found))
        told.append(f"reasoning ({', '.join(sorted(found)[:3])})")
    if found := heard & _NOT:
        score += 0.1
        told.append(f"a denial ({min(found)})")
    return min(1.0, score), tuple(told)


def may_escalate(persona: Persona, world: Sequence[Escalation]) -> bool:
    """Whether any line of a character could ever go to the stronger model."""
    return bool(world or persona.model.escalate or any(topic.escalate for topic in persona.topics.values()))


def reasons(
    text: str,
    persona: Persona,
    world: Iterable[Escalation],
    facts: Mapping[str, Fact],
    *,
    topic: str | None = None,
) -> tuple[str, ...]:
    """Why the stronger model is to be asked for a line; empty where it is not.

    Args:
        text: What the player says.
        persona: Who answers, with rules of its own.
        world: The rules that hold for everybody.
        facts: What the game says is so.
        topic: The authored topic that would answer, where one would.
    """
    found = []
    if topic is not None and persona.topics[topic].escalate:
        found.append(f"the topic {topic} asks for it")
    for whose, rules in (("character", persona.model.escalate), ("world", world)):
        for rule in rules:
            if is_open(rule.when, facts):
                found += [f"the {whose}'s rule: {why}" for why in _triggers(rule, text)]
    return tuple(dict.fromkeys(found))


def _triggers(rule: Escalation, text: str) -> list[str]:
    """What of a rule whose gate is open holds for the text."""
    found = []
    if rule.words and (word := _named(rule.words, stems(text))) is not None:
        found.append(f"the player says {word!r}")
    if rule.sentiment is not None and (felt := feeling(text)).strength >= rule.sentiment:
        told = ", ".join(felt.words[:3]) or "loudness"
        found.append(f"feeling {felt.strength:.2f} of {rule.sentiment:g} ({told})")
    if rule.complexity is not None:
        score, told_by = complexity(text)
        if score >= rule.complexity:
            found.append(f"complexity {score:.2f} of {rule.complexity:g} ({', '.join(told_by)})")
    bare = not rule.words and rule.sentiment is None and rule.complexity is None
    if bare and rule.when != Gate():
        found.append("its gate is open")
    return found


def _named(phrases: tuple[str, ...], heard: list[str]) -> str | None:
    """The first of the phrases whose words stand in what was heard, in order and together."""
    for phrase in phrases:
        wanted = _stems_of(phrase)
        if wanted and any(heard[n : n + len(wanted)] == wanted for n in range(len(heard) - len(wanted) + 1)):
            return phrase
    return None


@lru_cache(maxsize=4096)
def _stems_of(phrase: str) -> list[str]:
    return stems(phrase)
