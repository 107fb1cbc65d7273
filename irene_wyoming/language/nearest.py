"""Nearest: finds the sentences of a grammar that are most like an open transcript, by sound and spelling.

A recogniser that knows nothing of a home writes "a light rose mocker" for "a light roast mocha". The text is followed
through the grammar word by word; each piece may stand for similar words of the text. What was said clearly stays: a
choice of the grammar that is in the text is taken as it is. Boundaries of words are often wrong, so the found sentences
are then compared as a whole, sound by sound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.language.alignment import apart
from irene_wyoming.language.grammar import Grammar, plain
from irene_wyoming.language.numbers import word_numbers
from irene_wyoming.language.phones import all_phones
from irene_wyoming.language.pieces import SMALL, Choices, Piece, Pieces
from irene_wyoming.language.words import word_forms

FAR = 0.45
"""Largest distance of sentences that are found."""
WIDTH = 16
"""Ways through the grammar that are followed at once."""
RIVALS = 4
"""Most ways at one place: the best way is worth nothing without its rivals."""
CHOICES = 3
"""Most pieces that may stand for the same words at one place."""
LONGEST_SPAN = 5
"""Most words of the text that one piece may stand for."""
MOST_WORDS = 24
"""Most words of a text that can be a command."""
WORD = 0.7
"""Largest share of its letters in which a piece may differ from its words."""
NAME = 0.2
"""Largest share of its letters in which a home's name may differ. "Bathroom" is 0.25 away from "bedroom"."""
MISHEARD = 0.35
"""Largest share for a name where the sounds of the whole sentence are compared afterwards: "pitch in" for "kitchen"."""
LEFT_OUT, SMALL_LEFT_OUT = 2.0, 1.0
"""Cost per letter of a word that matches nothing; the second is that of small words."""
ADDED = 1.2
"""Cost of a small word that was not heard."""

LOST = frozenset(["a", "an", "the", "um", "uh", "please"])
"""Small words that may match nothing."""


class Change(NamedTuple):
    """A piece that stands for other words than its own."""

    heard: str
    meant: str
    state: int
    """State of the grammar, by which rivals are found."""


@dataclass(frozen=True, slots=True)
class Near:
    """A sentence of the grammar that is similar to a text."""

    written: str
    said: str
    """The sentence in spoken words."""
    sounds: float
    """The number of sounds in which the text differs from it."""
    distance: float
    """The share of sounds that differ. 0: said exactly. 1: nothing of it was said."""
    changed: tuple[Change, ...]
    left_out: tuple[str, ...]
    """Words of the text that match nothing, except small ones."""


class _Step(NamedTuple):
    """A partial way through the grammar."""

    cost: float
    state: int
    written: str
    said: str
    changed: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()


class _Span(NamedTuple):
    """Some words of the text in a row."""

    text: str
    length: int
    """Number of words."""
    numerals: frozenset[str]
    known: bool
    """Whether each of its words means something of its own, and is no misheard name."""


class _Onward(NamedTuple):
    """A piece that may stand for the next words."""

    length: int
    """Number of words."""
    piece: Piece
    target: int
    cost: float
    heard: str = ""
    """The words that it stands for; empty where they were said exactly."""


_Places = list[dict[tuple[int, str], _Step]]
"""Before each word of the text: (state, text written so far) -> the cheapest way to it."""


class Matcher:
    """Finds the nearest sentences in one grammar. Not for two threads at once.

    :param names: the names of the home as written; known words are never taken for a name.
    :param known: words that are no misheard names.
    """

    def __init__(
        self,
        grammar: Grammar,
        names: frozenset[str] = frozenset(),
        known: frozenset[str] = frozenset(),
        language: str = "en",
    ) -> None:
        self._language = language
        self._known = known
        self._numerals = frozenset(word_numbers(language))
        small = SMALL if language == "en" else frozenset[str]()
        self._pieces = Pieces(grammar, names, self._numerals, small)
        self._common = self._pieces.compared(WORD, 1.0, names=False)
        self._named = self._pieces.compared(MISHEARD, 0.0, names=True)
        self._choices = cache(self._choices_at)
        self._names_at = cache(self._may_be_named)

    def nearest(self, text: str, far: float = FAR) -> Sequence[Near]:
        """Find the sentences most like ``text``, best first, each ``written`` once; empty: none is similar.

        :param far: largest distance of sentences; a smaller one is faster.
        """
        words = spoken_words(text, self._language)
        if not 0 < len(words) <= MOST_WORDS:
            return ()
        ways = self._followed(words, far * sum(map(len, words)))
        ends = dict[str, _Step]()
        for step in ways:
            if step.state in self._pieces.ends:
                ends.setdefault(step.written, step)
        heard = all_phones(" ".join(words), self._language)
        meant = [all_phones(step.said, self._language) for step in ends.values()]
        found = [  # sorted by ways: of two that sound alike the one with the closer spelling is first
            Near(step.written, step.said, float(cost), float(cost) / max(len(heard), len(sounds)), *step[-2:])
            for step, sounds, cost in zip(ends.values(), meant, apart(heard, meant), strict=True)
        ]
        return sorted(found, key=lambda near: round(near.sounds, 3))

    def rivals(self, change: Change) -> Sequence[str]:
        """Other readings of a changed place in spoken words, without names."""
        return [
            piece.said for piece, _ in self._pieces.at(change.state) if not piece.name and piece.said != change.meant
        ]

    def _followed(self, words: Sequence[str], most: float) -> Sequence[_Step]:
        """Follow all words through the grammar; gives the cheapest ways first."""
        spans = [[self._span(words[at:end]) for end in _ends(at, len(words))] for at in range(len(words))]
        costs = self._common.costs(
            [span.text for row in spans for span in row], [bool(span.numerals) for row in spans for span in row]
        )
        places: _Places = [{} for _ in range(len(words) + 1)]
        places[0][0, ""] = _Step(0.0, 0, "", "")
        row = 0
        for at, word in enumerate(words):
            here = _Here(spans[at], costs[row : row + len(spans[at])], {})
            row += len(spans[at])
            for step in self._with_small(places[at], most):
                _reach(places[at + 1], _without(step, word), most)
                for onward in self._onwards(here, step.state):
                    _reach(places[at + onward.length], _further(step, onward), most)
        return _best(places[-1])

    def _with_small(self, places: dict[tuple[int, str], _Step], most: float) -> Sequence[_Step]:
        """The ways to follow, including those in which a small word was not heard."""
        for step in _best(places):
            for piece, target in self._pieces.small[step.state]:
                _reach(places, _further(step, _Onward(0, piece, target, ADDED)), most)
        return _best(places)

    def _onwards(self, here: "_Here", state: int) -> Sequence[_Onward]:
        """The pieces that may stand for the next words: the choice that was said exactly, or similar ones."""
        if state not in here.known:
            clear = self._clear(here.spans, state)
            whole = any(onward.length == 1 for onward in clear)
            here.known[state] = clear if whole else [*clear, *self._alike(here, state)]
        return here.known[state]

    def _clear(self, spans: Sequence[_Span], state: int) -> list[_Onward]:
        following = self._pieces.following[state]
        return [
            _Onward(span.length, piece, following[piece.number], 0.0)
            for span in spans
            for piece in self._pieces.exact.get(span.text, ())
            if piece.number in following
        ]

    def _alike(self, here: "_Here", state: int) -> Iterator[_Onward]:
        choices = self._choices(state)
        if choices.pieces:
            yield from _nearest(here.spans, here.costs[:, choices.forms], choices)
        if self._names_at(state):
            if here.named is None:
                here.named = self._named.hits(
                    [span.text for span in here.spans], [bool(span.numerals) for span in here.spans]
                )
            following = self._pieces.following[state]
            for span, hits in zip(here.spans, here.named, strict=True):
                named = (pair for pair in hits if pair[0].number in following and pair[0].numerals == span.numerals)
                # words with another meaning are no name
                for piece, cost in islice(named, 0 if span.known else CHOICES):
                    yield _Onward(span.length, piece, following[piece.number], cost, span.text)

    def _choices_at(self, state: int) -> Choices:
        return self._common.choices(self._pieces.at(state))

    def _may_be_named(self, state: int) -> bool:
        return any(piece.name for piece, _ in self._pieces.at(state))

    def _span(self, words: Sequence[str]) -> _Span:
        numerals = self._numerals.intersection(words)
        return _Span(" ".join(words), len(words), numerals, all(word in self._known for word in words))


@dataclass(slots=True)
class _Here:
    """The facts about one word of the text."""

    spans: Sequence[_Span]
    costs: NDArray[np.float32]
    """Cost by span and by form that is no name."""
    known: dict[int, Sequence[_Onward]]
    """Pieces that may follow, by state."""
    named: Sequence[Sequence[tuple[Piece, float]]] | None = None
    """The names similar to each span; None: not computed yet."""


def _nearest(spans: Sequence[_Span], costs: NDArray[np.float32], choices: Choices) -> Iterator[_Onward]:
    """The pieces most similar to each span."""
    kept = min(CHOICES, costs.shape[1])
    columns = np.argpartition(costs, kept - 1, axis=1)[:, :kept]
    for row, span in enumerate(spans):
        for column in columns[row]:
            piece, target = choices.pieces[column]
            cost = float(costs[row, column])
            if cost < inf and piece.numerals == span.numerals:  # a number never stands for another one
                yield _Onward(span.length, piece, target, cost, span.text)


def spoken_words(text: str, language: str) -> list[str]:
    """The words of a transcript as they are spoken: numbers in words, without marks."""
    words = plain(text).replace("-", " ").split()
    return [part for word in words for part in _spoken(word, language)]


def _spoken(word: str, language: str) -> list[str]:
    if word.isalpha():
        return [word]
    said = word_forms(word, language.split("-")[0]).spoken
    return plain(said[0]).split() if said else []


def _ends(at: int, words: int) -> range:
    return range(at + 1, min(words, at + LONGEST_SPAN) + 1)


def _further(step: _Step, onward: _Onward) -> _Step:
    piece = onward.piece
    written = f"{step.written} {piece.written}" if step.written and piece.written else step.written or piece.written
    said = f"{step.said} {piece.said}" if step.said else piece.said
    changed = (*step.changed, Change(onward.heard, piece.said, step.state)) if onward.heard else step.changed
    return _Step(step.cost + onward.cost, onward.target, written, said, changed, step.left_out)


def _without(step: _Step, word: str) -> _Step:
    """A step in which a word matches nothing."""
    if word in LOST:
        return step._replace(cost=step.cost + SMALL_LEFT_OUT * len(word))
    return step._replace(cost=step.cost + LEFT_OUT * len(word), left_out=(*step.left_out, word))


def _best(places: dict[tuple[int, str], _Step]) -> list[_Step]:
    """The steps to follow: the cheapest ones, at most RIVALS to one place."""
    found, at = list[_Step](), dict[int, int]()
    for step in sorted(places.values()):
        count = at[step.state] = at.get(step.state, 0) + 1
        if count <= RIVALS:
            found.append(step)
            if len(found) == WIDTH:
                break
    return found


def _reach(places: dict[tuple[int, str], _Step], step: _Step, most: float) -> None:
    key = step.state, step.written
    if step.cost <= most and (key not in places or step.cost < places[key].cost):
        places[key] = step
