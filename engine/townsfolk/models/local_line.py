"""What of a small model's answer may be shown: one or two sentences, in character. Pure; knows no topics and no taste.

Small models refuse ("As an AI..."), say the player's words back, or tell of themselves in the third person. A first
sentence that does so is never shown: the caller lets something else speak. So it is held back until it is whole; of a
later one the beginning is, which is where such things stand, and then it streams.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from townsfolk.models.base import Emit, ModelEvent, Request, Text

__all__ = ["SmallLine"]

_SENTENCES: Final = 2
_HELD_WORDS: Final = 6
_SENTENCE: Final = re.compile(r"[.!?…]+[\"'”\u2019)*]*(?=\s+(\S))")
_NO_END: Final = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Ser|Sr|Jr|No)\.$")
_TITLES: Final = frozenset(
    "old young captain father mother sister brother lady lord sir dame ser master mistress doctor dr mr mrs ms the"
    " granny aunt uncle widow".split()
)
_REFUSAL: Final = re.compile(
    r"\bas an? (?:AI|artificial|large language|language model|virtual|chatbot|assistant|digital)\b"
    r"|\blanguage model\b"
    r"|\bI(?:['\u2019]m| am) (?:just |only )?(?:an? )?(?:AI\b|artificial|chatbot|virtual assistant|computer)"
    r"|\b(?:can(?:no|['\u2019])t|can not|unable to|not able to|won['\u2019]t)"
    r" (?:assist|comply|fulfil|generate|engage|help (?:you )?with)"
    r"|\bassist you\b|\bI apologi[sz]e for (?:any|the) (?:confusion|inconvenience)"
    r"|\b(?:OpenAI|ChatGPT|Alibaba|Qwen|Anthropic|SmolLM|Hugging ?Face)\b",
    re.IGNORECASE,
)
_OTHER_SPEAKER: Final = re.compile(r"^\W*(?:player|user|human|assistant|system)\s*:", re.IGNORECASE)
_INTRODUCING: Final = ("i'm", "i am", "name is", "name's", "call me", "called", "this is", "it's", "it is", "named")
_WORD: Final = re.compile(r"\w+")


class SmallLine:
    """Stands between a small model and the player for one line.

    Attributes:
        said: Whether any of it was shown.
        fault: Why the rest of it is not, empty when nothing is wrong.
    """

    def __init__(self, request: Request, emit: Emit) -> None:
        self._emit = emit
        self._player = _words(request.text)
        self._said_before = [_words(line) for line in request.said[-3:]]
        names = _names(request.persona.name)
        self._prefix = re.compile(rf"^\W*(?:{names})\s*:\s*", re.IGNORECASE)
        self._self = re.compile(
            rf"\b(?:you are|you're) (?:{names})\b|\b(?:{names})\s+(?:will|would|could|can|[a-z]+(?:s|ed))\b"
        )
        self._sentence = ""
        self._shown = 0
        self._whole = 0
        self._quoted = False
        self.said = False
        self.fault = ""

    def hear(self, event: ModelEvent) -> None:
        """Takes what the model says. Actions of a small model are not to be trusted, and moods it has none."""
        if not isinstance(event, Text) or self.enough():
            return
        self._sentence += event.text
        while (end := self._end()) is not None and not self.enough():
            rest = self._sentence[end:]
            self._sentence = self._sentence[:end]
            self._finish()
            self._sentence = rest
        if self._whole and not self.enough() and len(self._sentence.split()) > _HELD_WORDS:
            self._show()

    def enough(self) -> bool:
        """Whether nothing more will be shown."""
        return bool(self.fault) or self._whole >= _SENTENCES

    def end(self, *, cut: bool) -> None:
        """The model has ended; ``cut`` if it would have said more."""
        if not self._sentence.strip() or self.enough():
            return
        if cut and self._whole and not self._shown:
            return  # half a second sentence is worth less than none
        self._finish()

    def _end(self) -> int | None:
        for match in _SENTENCE.finditer(self._sentence):
            if not match[1].islower() and not _NO_END.search(self._sentence[: match.end()]):
                return match.end()
        return None

    def _finish(self) -> None:
        self._show()
        if not self.fault:
            self._whole += 1
            if self._whole >= _SENTENCES:
                return
            self._shown = 0

    def _show(self) -> None:
        if not self._whole and not self._shown:
            self._sentence = self._prefix.sub("", self._sentence.lstrip(), count=1)
            self._quoted = self._sentence.startswith(('"', "“"))
        self.fault = self._wrong(self._sentence)
        if self.fault:
            return
        whole = self._sentence.rstrip()  # the blank behind a sentence goes in front of the next
        text = whole[self._shown :]
        self._shown = max(self._shown, len(whole))
        if self._quoted:
            text = re.sub('["“”]', "", text)
        if not self.said:
            text = text.lstrip()
        if text:
            self.said = True
            self._emit(Text(text))

    def _wrong(self, sentence: str) -> str:
        if _REFUSAL.search(sentence):
            return "it spoke as a machine"
        if _OTHER_SPEAKER.match(sentence):
            return "it spoke for somebody else"
        for match in self._self.finditer(sentence):
            before = sentence[: match.start()].rstrip().lower().replace("\u2019", "'")
            if not before.endswith(_INTRODUCING):
                return "it spoke of itself in the third person"
        words = _words(sentence)
        if len(words) >= 3 and _alike(words, self._player):
            return "it said the player's words back"
        if len(words) >= 4 and any(words == said[: len(words)] for said in self._said_before):
            return "it said again what it had just said"
        return "" if words else "it said nothing"


def _names(name: str) -> str:
    """The whole name and the part that people use, as a pattern."""
    parts = [part for part in name.split() if part.lower().rstrip(".") not in _TITLES and len(part) > 2]
    return "|".join(re.escape(each) for each in dict.fromkeys([name, *parts[:1]]))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _alike(words: list[str], others: list[str]) -> bool:
    if len(words) > 2 * len(others):
        return False
    matcher = SequenceMatcher(None, words, others, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks() if block.size > 1)
    return same >= 0.7 * len(words)
