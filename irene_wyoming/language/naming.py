"""Naming: finds the names of a home in an open transcript, and words that are nearly names."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from irene_wyoming.language.alignment import apart
from irene_wyoming.language.closeness import Forms
from irene_wyoming.language.grammar import plain
from irene_wyoming.language.nearest import NAME, spoken_words
from irene_wyoming.language.phones import all_phones
from irene_wyoming.language.spoken import distinct_forms, family
from irene_wyoming.language.vocabulary import Vocabulary

LONGEST = 6
"""Most words of a text that may be one name."""
RIVALS = 64
"""Most similar forms of other names that are compared sound by sound."""
FORMS = 4
"""Most forms of a name that may nearly have been said."""
TOGETHER = 5
"""Fewest letters of a name that is found with other blanks, too."""

_WORD = re.compile(r"[^\s\-_]+")


class Word(NamedTuple):
    """A word of a transcript, and its place."""

    plain: str
    start: int
    end: int
    """End of the word without the marks around it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A name in a transcript, and its place."""

    start: int
    end: int
    """End of the name, in characters of the transcript."""
    written: str
    """The name as the home writes it."""
    distance: float
    """The share of its letters that differ; 0: it was said exactly."""
    form: str = ""
    """The spoken form that is nearest; empty where it was said exactly."""


class Names:
    """The names of a vocabulary, by their spoken forms. Not for two threads at once."""

    def __init__(self, vocabulary: Vocabulary, language: str) -> None:
        written = dict.fromkeys(each for name in vocabulary.names for each in name.all_written)
        self._exact: dict[str, str] = {}
        forms = list[tuple[str, str]]()
        for each, said in distinct_forms(tuple(written), language).items():
            ways = [plain(form) for form in said]
            forms += [(way, each) for way in dict.fromkeys(ways[:FORMS])]
            for way in ways:
                self._exact.setdefault(way, each)
        for each in written:
            self._exact[plain(each)] = each  # its own name wins over others that sound like it
        self._together = dict[str, str]()
        for form, each in self._exact.items():  # recognisers write "living room" for "Livingroom", and the other way
            if len(form) >= TOGETHER:
                self._together.setdefault(form.replace(" ", ""), each)
        self._written = [each for _, each in forms]
        self._spelled = [form for form, _ in forms]
        self._forms = Forms(self._spelled)
        self._language = family(language)
        self._sounds = list[str]()
        self.words = frozenset(word for form in self._exact for word in form.split())
        """All words of all names, in every spoken form."""

    def exact(self, text: str) -> list[Found]:
        """Find names that are said exactly in ``text``, in order; the longest first where two overlap."""
        words = words_of(text)
        found, at = list[Found](), 0
        while at < len(words):
            for end in range(min(len(words), at + LONGEST), at, -1):
                said = " ".join(word.plain for word in words[at:end])
                written = self._exact.get(said) or self._together.get(said.replace(" ", ""))
                if written is not None:
                    found.append(Found(words[at].start, words[end - 1].end, written, 0.0))
                    at = end
                    break
            else:
                at += 1
        return found

    def nearly(self, text: str, known: Container[str]) -> list[Found]:
        """Find words that are nearly a name, nearest first.

        :param known: words that are no misheard names: only spans with another word are searched.
        """
        words = words_of(text)
        strange = self._strange(words, known)
        spans = [
            (at, end)
            for at in range(len(words))
            for end in range(at + 1, min(len(words), at + LONGEST) + 1)
            if any(strange[at:end]) and (strange[at] or strange[end - 1] or end - at > 1)
        ]
        if not spans or not self._written:
            return []
        heard = [" ".join(word.plain for word in words[at:end]) for at, end in spans]
        shares = self._forms.apart(heard) / self._forms.sizes
        found = [
            Found(
                words[spans[row][0]].start,
                words[spans[row][1] - 1].end,
                self._written[column],
                float(shares[row, column]),
                self._spelled[column],
            )
            for row, column in zip(*np.nonzero(shares <= NAME), strict=True)
        ]
        return sorted(found, key=lambda each: each.distance)

    def lead(self, heard: str, written: str) -> float:
        """The number of sounds by which every other name is farther from the heard text than this one."""
        if not self._sounds:
            self._sounds = [all_phones(form, self._language) for form in self._spelled]
        sounds = all_phones(" ".join(spoken_words(heard, self._language)), self._language)
        roughly = cdist([sounds], self._sounds, scorer=Levenshtein.distance)[0]
        own = np.array([each == written for each in self._written])
        rivals = np.flatnonzero(~own)
        rivals = rivals[np.argsort(roughly[rivals], kind="stable")[:RIVALS]]
        nearest = (apart(sounds, [self._sounds[form] for form in forms]) for forms in (np.flatnonzero(own), rivals))
        mine, others = (float(np.min(costs, initial=np.inf)) for costs in nearest)
        return others - mine

    def _strange(self, words: Sequence[Word], known: Container[str]) -> list[bool]:
        return [word.plain not in known and word.plain not in self.words for word in words]


def words_of(text: str) -> list[Word]:
    """The words of a transcript, without marks around them; hyphens separate words."""
    found = list[Word]()
    for match in _WORD.finditer(text):
        word = plain(match[0])
        if word:
            start = match.start() + max(match[0].casefold().find(word), 0)
            found.append(Word(word, start, start + len(word)))
    return found


def replaced(text: str, found: Sequence[Found]) -> str:
    """Replace the found names in ``text`` by the home's spelling; ``found`` is in order and without overlaps."""
    for each in reversed(found):
        text = text[: each.start] + each.written + text[each.end :]
    return text
