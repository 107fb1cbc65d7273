"""Tokens: the model's pieces of text, read from its ``tokenizer.bin``."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf
from pathlib import Path

BLANK = "\u2581"
"""The character with which a token shows the blank before a word."""

HYPHEN = "-"
"""The mark that may replace the blank between two words: "double-shot"."""

START, END = 1, 2
"""Numbers of the tokens that begin and end a transcript."""

FIRST_WORD = 259
"""First number of a text token; lower ones are control tokens and single bytes. The model hardly uses the bytes, whose
letters have tokens of their own.
"""

ACRONYM = 4
"""Most letters of a word that may be in capitals: TV, HVAC."""

MOST_WORDS = 8_192
"""Most words whose spellings are kept. A large home has some thousand."""

Cuts = Mapping[int, Sequence[tuple[int, tuple[int, ...]]]]


class Tokens:
    """The texts of a model's tokens by number, and the tokens that can spell a word."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._texts = tuple(texts)
        self._first: dict[str, tuple[int, ...]] = {}  # tokens that may begin a word
        self._later: dict[str, tuple[int, ...]] = {}  # tokens that may continue one
        self._hyphens = tuple(at for at, text in enumerate(texts) if at >= FIRST_WORD and text == HYPHEN.encode())
        for number, raw in enumerate(texts):
            if number >= FIRST_WORD:
                self._enter(number, raw.decode("utf-8", "replace"))
        self.cuts = lru_cache(MOST_WORDS)(self._cuts)
        """Maps a word to its cuts, cached: for each first letter, the possible tokens and the letter behind each."""

    def _enter(self, number: int, text: str) -> None:
        key, one = folded(text), (number,)
        letters = text.removeprefix(BLANK)
        short = len(letters) <= ACRONYM
        if letters == letters.casefold() or (short and letters.isupper()):
            self._later[key] = self._later[key] + one if key in self._later else one
        if letters in (letters.casefold(), letters.capitalize()) or (short and letters.isupper()):
            self._first[key] = self._first[key] + one if key in self._first else one

    def __len__(self) -> int:
        return len(self._texts)

    def signs(self, text: str) -> tuple[int, ...]:
        """The tokens that are just this mark."""
        return self._later.get(text, ())

    def text(self, numbers: Sequence[int]) -> str:
        """The text of a sequence of tokens, without START and END."""
        said = b"".join(self._texts[number] for number in numbers if number not in (START, END))
        return said.decode("utf-8", "replace").replace(BLANK, " ").strip()

    def _numbers(self, word: str, start: int, end: int) -> tuple[int, ...]:
        begins = not word[:start].strip(BLANK) or not word[start - 1].isalnum()
        return (self._first if begins else self._later).get(word[start:end], ())

    def _cuts(self, word: str) -> Cuts:
        """The tokens of a word's short spellings. The model hardly uses others, which would crowd a search.

        A word that is a token is spelled by it alone. Others are spelled in as few tokens as can be, or in one more.

        :param word: folded, with BLANK before it, which a hyphen may stand for.
        """
        size = len(word)
        inside = 1 if word[:1] == BLANK else 0
        found: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
        for begin in {0, inside}:  # with the blank, or behind a hyphen
            before, after = self._fewest(word, begin)
            spare = 0 if after[begin] == 1 else 1
            for start in range(begin, size):
                for end in range(start + 1, size + 1):
                    numbers = self._numbers(word, start, end)
                    if numbers and before[start] + 1 + after[end] <= after[begin] + spare:
                        ways = found.setdefault(start, [])
                        if (end, numbers) not in ways:
                            ways.append((end, numbers))
        if inside:
            found.setdefault(0, []).append((1, self._hyphens))
        return found

    def _fewest(self, word: str, begin: int) -> tuple[list[float], list[float]]:
        """The fewest tokens for the letters from ``begin`` to each place, and from each place to the end."""
        size = len(word)
        before, after = [inf] * (size + 1), [inf] * (size + 1)
        before[begin] = after[size] = 0
        for end in range(begin + 1, size + 1):
            before[end] = min(
                (before[start] + 1 for start in range(begin, end) if self._numbers(word, start, end)), default=inf
            )
        for start in reversed(range(begin, size)):
            after[start] = min(
                (after[end] + 1 for end in range(start + 1, size + 1) if self._numbers(word, start, end)), default=inf
            )
        return before, after


def folded(text: str) -> str:
    """Normalise a text for comparison: lower case, no accents, a blank for a hyphen, one kind of apostrophe."""
    if not text.isascii():
        text = without_accents(text)
    return text.casefold().replace(" ", BLANK).replace(HYPHEN, BLANK)


def without_accents(text: str) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFD", text) if unicodedata.category(letter) != "Mn")
    return plain.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def read(file: Path) -> Tokens:
    """Read a ``tokenizer.bin``: byte strings, each behind its length of one byte, or of two from 128 on.

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
