"""Graph: a grammar over words as a graph over the tokens of a model, made only as far as a search gets to.

A person says "Turn on the lights, please." and the model spells that in pieces and capitals of its own. So every short
way to cut a word into tokens is followed, a hyphen may stand for a blank, and a comma between two pieces of the
grammar. Nothing else can be said.

Texts of a grammar's state lie in one sorted tuple. A place in them is the range of texts that begin with what was said
so far, so that 400 names take no more memory than their letters.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.asr.guided.tokens import BLANK, END, Tokens, folded

BETWEEN = (",", ".", "!", "...", ";", ":")
"""Marks that may stand between two words, once; people pause there."""

BEHIND = (".", "?", "!", "...")
"""Marks that may end a sentence."""

HIGHEST = "\U0010ffff"
"""Sorts behind every letter."""

MOST_STATES = 4_096
"""Kept of one graph. A search visits some hundred; the rest of a large home's graph is made again when it is needed."""


class ArcLike(Protocol):
    """One way on in a grammar."""

    @property
    def said(self) -> tuple[str, ...]: ...

    @property
    def written(self) -> str: ...

    @property
    def target(self) -> int: ...


class GrammarLike(Protocol):
    """What may be said: an automaton without circles, whose state 0 is the start."""

    @property
    def arcs(self) -> Sequence[Sequence[ArcLike]]: ...

    @property
    def ends(self) -> frozenset[int]: ...


class Place(NamedTuple):
    """Where in a grammar a text may have got to."""

    state: int
    low: int
    """The texts of the state from ``low`` to before ``high`` begin with what was said since the state was reached."""
    high: int
    said: int
    """Letters said since the state was reached."""


OVER = Place(-1, 0, 0, 0)
"""Behind the sentence."""

State = frozenset[Place]
"""All places that a sequence of tokens may have got to."""


class Move(NamedTuple):
    """What a token does to one place."""

    source: Place
    target: Place
    written: str
    """What is written for the piece of the grammar that it completes; empty where it completes none, or a filler."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a state may go on."""

    ids: NDArray[np.int64]
    """Tokens that may come next, ascending; END among them where the sentence may end."""
    moves: tuple[tuple[Move, ...], ...]
    """What each of them does."""


@dataclass(frozen=True, slots=True)
class _Forms:
    """What may be said in one state of the grammar."""

    texts: tuple[str, ...]
    """Laid out as tokens spell them, in order."""
    arcs: Mapping[str, tuple[tuple[str, int], ...]]
    """Of each text: what is written for it, and the state behind it."""


class Graph:
    """The tokens that may follow each other for one grammar and one model."""

    def __init__(self, grammar: GrammarLike, tokens: Tokens) -> None:
        self._grammar = grammar
        self._tokens = tokens
        self._forms: dict[int, _Forms] = {}
        self.ways = lru_cache(MOST_STATES)(self._ways)
        """(state) -> Ways, remembered."""

    @property
    def start(self) -> Place:
        return self._entered(0)

    def between(self, place: Place) -> bool:
        """Whether a word has just been said to its end."""
        if place == OVER or place.said == 0:
            return True
        return self._at(place.state).texts[place.low][place.said : place.said + 1] in ("", BLANK)

    def _at(self, state: int) -> _Forms:
        if state not in self._forms:
            forms: dict[str, set[tuple[str, int]]] = {}
            for arc in self._grammar.arcs[state]:
                for form in arc.said:
                    forms.setdefault(laid_out(form), set()).add((arc.written, arc.target))
            self._forms[state] = _Forms(tuple(sorted(forms)), {text: tuple(sorted(forms[text])) for text in forms})
        return self._forms[state]

    def _entered(self, state: int) -> Place:
        return Place(state, 0, len(self._at(state).texts), 0)

    def _ways(self, state: State) -> Ways:
        found: dict[int, set[Move]] = {}
        for place in state:
            for number, move in self._from(place):
                found.setdefault(number, set()).add(move)
        ids = sorted(found)
        return Ways(np.array(ids, np.int64), tuple(tuple(sorted(found[number])) for number in ids))

    def _from(self, place: Place) -> Iterator[tuple[int, Move]]:
        """Each token that may come at a place, and where it leads to."""
        if place == OVER:
            yield END, Move(place, OVER, "")
            return
        for number, target in self._letters(place):
            yield number, Move(place, target, "")
        for written, reached in self._reached(place):
            entered = self._entered(reached)
            for number, target in self._letters(entered):
                yield number, Move(place, target, written)
            if entered.high:
                for number in self._signs(BETWEEN):
                    yield number, Move(place, entered, written)
            if reached in self._grammar.ends:
                for number in (END, *self._signs(BEHIND)):
                    yield number, Move(place, OVER, written)

    def _signs(self, marks: Sequence[str]) -> Iterator[int]:
        return (number for mark in marks for number in self._tokens.signs(mark))

    def _letters(self, place: Place) -> Iterator[tuple[int, Place]]:
        """Tokens that say more of the texts of a place."""
        texts = self._at(place.state).texts
        seen = set[tuple[str, tuple[int, ...]]]()
        for low in range(place.low, place.high):
            text = texts[low]
            start, end = word_at(text, place.said)
            for size, numbers in self._tokens.cuts(text[start:end]).get(place.said - start, ()):
                begun = text[: start + size]
                if (begun, numbers) not in seen:
                    seen.add((begun, numbers))
                    first = bisect_left(texts, begun, place.low, low + 1)
                    high = bisect_right(texts, begun + HIGHEST, low, place.high)
                    yield from ((number, Place(place.state, first, high, start + size)) for number in numbers)

    def _reached(self, place: Place) -> tuple[tuple[str, int], ...]:
        """What is written for a text that was just said to its end, and the state behind it."""
        if place.low == place.high:
            return ()
        forms = self._at(place.state)
        text = forms.texts[place.low]
        return forms.arcs[text] if len(text) == place.said else ()


def laid_out(said: str) -> str:
    """A spoken form as tokens spell it: with a blank before each word, but not before a sign such as ``%``."""
    text = folded(" ".join(said.split()))
    return BLANK + text if text[:1].isalnum() else text


def word_at(text: str, place: int) -> tuple[int, int]:
    """Where the word begins and ends that the letter at ``place`` belongs to; with the blank before it."""
    start = max(0, text.rfind(BLANK, 0, place + 1))
    end = text.find(BLANK, start + 1)
    return start, len(text) if end < 0 else end
