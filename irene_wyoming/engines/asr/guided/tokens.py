"""Tokens: the pieces of text that the model speaks in, read from its ``tokenizer.bin``."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

BLANK = "\u2581"
"""How a token shows the blank before a word."""

START, END = 1, 2
"""Numbers of the tokens that begin and end a transcript."""

FIRST_WORD = 259
"""Numbers below are control tokens and single bytes. The bytes repeat letters that have tokens of their own further up,
and the model hardly ever uses them."""


class Tokens:
    """The texts of a model's tokens by number, and the numbers of each text."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._texts = tuple(texts)
        self._numbers: dict[str, tuple[int, ...]] = {}
        for number, text in enumerate(texts):
            if number >= FIRST_WORD and (key := folded(text.decode("utf-8", "replace"))):
                self._numbers[key] = (*self._numbers.get(key, ()), number)
        self._folded = {number: key for key, numbers in self._numbers.items() for number in numbers}
        self.longest = max(map(len, self._numbers), default=0)
        """Letters of the longest token."""

    def __len__(self) -> int:
        return len(self._texts)

    def numbers(self, text: str) -> tuple[int, ...]:
        """Every token that says ``text``, whatever its capitals and hyphens; ``text`` is folded. Often none."""
        return self._numbers.get(text, ())

    def folded(self, number: int) -> str:
        """What a token says, folded; empty for one that no grammar uses."""
        return self._folded.get(number, "")

    def text(self, numbers: Sequence[int]) -> str:
        """What a sequence of tokens says, without START and END."""
        said = b"".join(self._texts[number] for number in numbers if number not in (START, END))
        return said.decode("utf-8", "replace").replace(BLANK, " ").strip()


def folded(text: str) -> str:
    """Text as commands are compared: lower case, without accents, a hyphen like a blank, one kind of apostrophe."""
    if not text.isascii():
        text = without_accents(text)
    return text.casefold().replace(" ", BLANK).replace("-", BLANK)


def without_accents(text: str) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFD", text) if unicodedata.category(letter) != "Mn")
    return plain.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def read(file: Path) -> Tokens:
    """The tokens in a ``tokenizer.bin``: byte strings, each behind its length of one byte, or of two from 128 on.

    :raises OSError: the file cannot be read.
    :raises ValueError: it is cut short.
    """
    data = file.read_bytes()
    texts, at = [], 0
    while at < len(data):
        size, at = data[at], at + 1
        if size >= 128:
            size, at = size - 128 + 128 * data[at], at + 1
        if at + size > len(data):
            raise ValueError("is cut short")
        texts.append(data[at : at + size])
        at += size
    if len(texts) <= FIRST_WORD:
        raise ValueError("holds too few tokens for a model of speech")
    return Tokens(texts)
