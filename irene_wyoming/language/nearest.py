"""Nearest: the sentences of a grammar that are most like an open transcript, by sound and by spelling.

A recogniser that knows nothing of a home writes "a light rose mocker" for "a light roast mocha". The text is followed
through the grammar word by word; each piece of the grammar may stand for some words of the text that are like it. What
was said clearly stays: where the text holds one of the choices that the grammar has at a place, it is that choice.
Words rarely end where they ended, so the sentences that are found are then compared as a whole, sound by sound.
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
"""Distance up to which sentences are looked for."""
WIDTH = 16
"""Ways through the grammar that are followed at once."""
RIVALS = 4
"""How many of them may be at one place: the best way to it is worth nothing without knowing its rivals."""
CHOICES = 3
"""Pieces that may stand for the same words at one place."""
LONGEST_SPAN = 5
"""Words of the text that one piece may stand for."""
MOST_WORDS = 24
"""Of a text that can be a command at all."""
WORD = 0.7
"""How unlike a piece may be to the words it stands for, as a share of its letters."""
NAME = 0.2
"""The same of a name of the home. "Bathroom" is 0.25 away from "bedroom"."""
LEFT_OUT, SMALL_LEFT_OUT = 2.0, 1.0
"""Cost of a letter of a word that stands for nothing: what was said matters, but for small words."""
ADDED = 1.2
"""Cost of a small word that was not heard."""

LOST = frozenset(["a", "an", "the", "um", "uh", "please"])
"""Small words that may stand for nothing."""


class Change(NamedTuple):
    """What stands for something else than itself."""

    heard: str
    meant: str
    state: int
    """State of the grammar, from which it is known what else might have been meant."""


@dataclass(frozen=True, slots=True)
class Near:
    """A sentence of the grammar that a text is like."""

    written: str
    said: str
    """In words, as it would have been said."""
    sounds: float
    """In how many sounds the text differs from it."""
    distance: float
    """Sounds that differ as a share of all. 0: said as it is. 1: nothing of it was said."""
    changed: tuple[Change, ...]
    left_out: tuple[str, ...]
    """Words of the text that stand for nothing, but for small ones."""


class _Step(NamedTuple):
    """A way through the grammar so far."""

    cost: float
    state: int
    written: str
    said: str
    changed: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()


class _Span(NamedTuple):
    """Some words of the text."""

    text: str
    length: int
    """Words."""
    numerals: frozenset[str]
    known: bool
    """Each of its words means something of its own, and is no misheard name."""


class _Onward(NamedTuple):
    """A piece that may stand for the next words."""

    length: int
    """Words."""
    piece: Piece
    target: int
    cost: float
    heard: str = ""
    """What it stands for; nothing where that was said as it is."""


_Places = list[dict[tuple[int, str], _Step]]
"""Before each word of the text: (state, what is written so far) -> the cheapest way to it."""


class Matcher:
    """Finds the nearest sentences in one grammar. Not to be used by two threads at once.

    :param names: the names of the home as written: words that are known are never taken for one of them.
    :param known: words that are what they are, and no misheard name.
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
        self._named = self._pieces.compared(NAME, 0.0, names=True)
        self._choices = cache(self._choices_at)
        self._names_at = cache(self._may_be_named)

    def nearest(self, text: str, far: float = FAR) -> Sequence[Near]:
        """Sentences most like ``text``, best first, each ``written`` once; none where nothing is like it.

        :param far: distance up to which sentences are looked for; the less, the faster.
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
        found = [  # in the order of the ways: of two that sound the same the one that is spelled more alike is first
            Near(step.written, step.said, float(cost), float(cost) / max(len(heard), len(sounds)), *step[-2:])
            for step, sounds, cost in zip(ends.values(), meant, apart(heard, meant), strict=True)
        ]
        return sorted(found, key=lambda near: round(near.sounds, 3))

    def rivals(self, change: Change) -> Sequence[str]:
        """What else might have been meant there, but for names; as it is said."""
        return [
            piece.said for piece, _ in self._pieces.at(change.state) if not piece.name and piece.said != change.meant
        ]

    def _followed(self, words: Sequence[str], most: float) -> Sequence[_Step]:
        """The ways that lead through all of the words, cheapest first."""
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
        """The ways that are followed, those among them in which a small word was not heard."""
        for step in _best(places):
            for piece, target in self._pieces.small[step.state]:
                _reach(places, _further(step, _Onward(0, piece, target, ADDED)), most)
        return _best(places)

    def _onwards(self, here: "_Here", state: int) -> Sequence[_Onward]:
        """What may stand for the next words: the choice that was said as it is, or those that are like them."""
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
                for piece, cost in islice(named, 0 if span.known else CHOICES):  # what means something else is no name
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
    """What is known at one word of the text."""

    spans: Sequence[_Span]
    costs: NDArray[np.float32]
    """Cost by span and by form that is no name."""
    known: dict[int, Sequence[_Onward]]
    """By state."""
    named: Sequence[Sequence[tuple[Piece, float]]] | None = None
    """The names that each span is like; None: nobody has asked yet."""


def _nearest(spans: Sequence[_Span], costs: NDArray[np.float32], choices: Choices) -> Iterator[_Onward]:
    """The pieces that each span is most like."""
    kept = min(CHOICES, costs.shape[1])
    columns = np.argpartition(costs, kept - 1, axis=1)[:, :kept]
    for row, span in enumerate(spans):
        for column in columns[row]:
            piece, target = choices.pieces[column]
            cost = float(costs[row, column])
            if cost < inf and piece.numerals == span.numerals:  # a number is no other number
                yield _Onward(span.length, piece, target, cost, span.text)


def spoken_words(text: str, language: str) -> list[str]:
    """The words of a transcript as they were said: numbers in words, marks left out."""
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
    """A word stands for nothing."""
    if word in LOST:
        return step._replace(cost=step.cost + SMALL_LEFT_OUT * len(word))
    return step._replace(cost=step.cost + LEFT_OUT * len(word), left_out=(*step.left_out, word))


def _best(places: dict[tuple[int, str], _Step]) -> list[_Step]:
    """The steps that are followed: the cheapest ones, not too many to one place."""
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
