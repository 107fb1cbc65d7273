"""Graph: turns a grammar of words into a graph of a model's tokens, as far as a search reaches.

The model spells "Turn on the lights, please." in tokens and capitals of its own. So the graph allows every short way to
cut a word into tokens, a hyphen for a blank, and a mark between two pieces.

Texts of a grammar's state are one sorted tuple. A place is the range of texts that begin with the letters so far, so
400 names take no more memory than their letters.
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
"""Marks that may stand once between two words, where people pause."""

BEHIND = (".", "?", "!", "...")
"""Marks that may end a sentence."""

HIGHEST = "\U0010ffff"
"""A character that sorts behind every letter."""

MOST_STATES = 4_096
"""Most states kept of one graph. A search visits some hundred; others are computed again when needed."""


class ArcLike(Protocol):
    """An arc of a grammar."""

    @property
    def said(self) -> tuple[str, ...]: ...

    @property
    def written(self) -> str: ...

    @property
    def target(self) -> int: ...


class GrammarLike(Protocol):
    """A grammar: an acyclic automaton whose state 0 is the start."""

    @property
    def arcs(self) -> Sequence[Sequence[ArcLike]]: ...

    @property
    def ends(self) -> frozenset[int]: ...


class Place(NamedTuple):
    """A place in a grammar that a text may have reached."""

    state: int
    low: int
    """First of the state's texts, up to before ``high``, that begin with the letters since the state was reached."""
    high: int
    said: int
    """Number of letters since the state was reached."""


OVER = Place(-1, 0, 0, 0)
"""The place behind a complete sentence."""

State = frozenset[Place]
"""All places that a sequence of tokens may have reached."""


class Move(NamedTuple):
    """The effect of a token on one place."""

    source: Place
    target: Place
    written: str
    """The text of the piece that it completes; empty where it completes none, or a filler."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The continuations of a state."""

    ids: NDArray[np.int64]
    """Possible next tokens, ascending; END among them where the sentence may end."""
    moves: tuple[tuple[Move, ...], ...]
    """The moves of each of these tokens."""


@dataclass(frozen=True, slots=True)
class _Forms:
    """The texts of one state of the grammar."""

    texts: tuple[str, ...]
    """Texts in the spelling of tokens, sorted."""
    arcs: Mapping[str, tuple[tuple[str, int], ...]]
    """For each text: the written pieces, and the states behind them."""


class Graph:
    """The possible sequences of tokens for one grammar and one model."""

    def __init__(self, grammar: GrammarLike, tokens: Tokens) -> None:
        self._grammar = grammar
        self._tokens = tokens
        self._forms: dict[int, _Forms] = {}
        self.ways = lru_cache(MOST_STATES)(self._ways)
        """Maps a state to its Ways, cached."""

    @property
    def start(self) -> Place:
        return self._entered(0)

    def between(self, place: Place) -> bool:
        """Whether a word has just been completed."""
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
        """Give each token that may come at a place, and its move."""
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
        """Give the tokens that continue the texts of a place."""
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
        """For a text that is just complete: the written pieces, and the states behind them."""
        if place.low == place.high:
            return ()
        forms = self._at(place.state)
        text = forms.texts[place.low]
        return forms.arcs[text] if len(text) == place.said else ()


def laid_out(said: str) -> str:
    """A spoken form in the spelling of tokens: a blank before each word, but not before a sign such as ``%``."""
    text = folded(" ".join(said.split()))
    return BLANK + text if text[:1].isalnum() else text


def word_at(text: str, place: int) -> tuple[int, int]:
    """Start and end of the word that has the letter at ``place``, with the blank before it."""
    start = max(0, text.rfind(BLANK, 0, place + 1))
    end = text.find(BLANK, start + 1)
    return start, len(text) if end < 0 else end
