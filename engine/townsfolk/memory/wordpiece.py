"""Cuts text into the word pieces that BERT models read, and gives their numbers. Runs no model.

The same pieces as the `tokenizers` package gives for ``bert-base-uncased``: lower case, no accents, every punctuation
mark and Chinese character on its own, then the longest known piece first. `minilm-vocab.md` says whose words they are.
"""

from __future__ import annotations

import gzip
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

__all__ = ["word_pieces"]

_LONGEST_WORD = 100
_CHINESE = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
            (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))  # fmt: skip


@cache
def _vocabulary() -> Mapping[str, int]:
    packed = (files("townsfolk.memory") / "minilm-vocab.txt.gz").read_bytes()
    return {word: n for n, word in enumerate(gzip.decompress(packed).decode("utf-8").splitlines())}


def word_pieces(text: str, limit: int = 128) -> list[int]:
    """The numbers of the pieces of ``text``, between ``[CLS]`` and ``[SEP]``; what is over ``limit`` is cut off."""
    vocabulary = _vocabulary()
    # A longer text has pieces enough in its beginning: do not cut up a mebibyte to throw it away.
    numbers = [number for word in _words(text[: limit * _LONGEST_WORD]) for number in _pieces(word, vocabulary)]
    return [vocabulary["[CLS]"], *numbers[: limit - 2], vocabulary["[SEP]"]]


def _words(text: str) -> Iterator[str]:
    word = ""
    for char in _plain(text):
        alone = _is_punctuation(char) or _is_chinese(char)
        if alone or char.isspace():
            if word:
                yield word
            word = ""
            if alone:
                yield char
        else:
            word += char
    if word:
        yield word


def _plain(text: str) -> Iterator[str]:
    kept = "".join(" " if char in "\t\n\r" else char for char in text if char in "\t\n\r" or not _is_control(char))
    for char in unicodedata.normalize("NFD", kept):
        if unicodedata.category(char) != "Mn":
            yield from char.lower()  # one character at a time: the model never learned the Greek final sigma rule


def _pieces(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    pieces: list[int] = []
    start = 0
    while start < len(word) <= _LONGEST_WORD:
        for end in range(len(word), start, -1):
            piece = vocabulary.get(word[start:end] if start == 0 else "##" + word[start:end])
            if piece is not None:
                break
        else:
            return [vocabulary["[UNK]"]]
        pieces.append(piece)
        start = end
    return pieces or [vocabulary["[UNK]"]]


def _is_control(char: str) -> bool:
    return char in "\0\ufffd" or unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs")


def _is_punctuation(char: str) -> bool:
    return unicodedata.category(char).startswith("P") or char in "$+<=>^`|~"


def _is_chinese(char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in _CHINESE)
