"""Graph: a grammar over words as a graph over the tokens of a model, made only as far as a search gets to.

A person says "Turn on the lights, please." and the model spells that in whatever pieces and capitals it likes. So every
way to cut a text into tokens is followed, capitals and hyphens are ignored, and a comma may stand between two words of
the grammar. Nothing else can be said.

Texts of a grammar's state lie in one sorted tuple. A place in them is the range of texts that begin with what was said
so far, so that 400 names take no more memory than their letters.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
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


Readings = dict[tuple[int, str], tuple[str, ...] | None]

State = frozenset[Place]
"""All places that a sequence of tokens may have got to. Empty: the sentence is over."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a state may go on."""

    ids: NDArray[np.int64]
    """Tokens that may come next, ascending; END among them where the sentence may end."""
    states: tuple[State, ...]
    """What each of them leads to."""


@dataclass(frozen=True, slots=True)
class _Forms:
    """What may be said in one state of the grammar."""

    texts: tuple[str, ...]
    """Laid out as tokens spell them, in order."""
    forms: dict[str, tuple[tuple[str, int], ...]]
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
    def start(self) -> State:
        return frozenset([self._entered(0)])

    def written(self, said: str) -> str | None:
        """The canonical wording of a transcript; None: the grammar does not have it.

        Where it may be read in several ways, the one of the fewest pieces is taken: names stay whole.
        """
        found = self._read(0, laid_out(said), {})
        return None if found is None else " ".join(word for word in found if word)

    def _read(self, state: int, text: str, known: Readings) -> tuple[str, ...] | None:
        """What is written for ``text``, piece by piece, from ``state`` to an end."""
        if state in self._grammar.ends and text in ("", *BEHIND):
            return ()
        if (state, text) not in known:
            ways = list[tuple[str, ...]]()
            forms = self._laid_out(state).forms
            for size in range(1, len(text) + 1):
                for written, target in forms.get(text[:size], ()):
                    found = (self._read(target, rest, known) for rest in behind(text[size:]))
                    ways.extend((written, *rest) for rest in found if rest is not None)
            known[state, text] = min(ways, key=len, default=None)
        return known[state, text]

    def _laid_out(self, state: int) -> _Forms:
        if state not in self._forms:
            forms: dict[str, set[tuple[str, int]]] = {}
            for arc in self._grammar.arcs[state]:
                for form in arc.said:
                    forms.setdefault(laid_out(form), set()).add((arc.written, arc.target))
            self._forms[state] = _Forms(tuple(sorted(forms)), {text: tuple(sorted(forms[text])) for text in forms})
        return self._forms[state]

    def _entered(self, state: int) -> Place:
        return Place(state, 0, len(self._laid_out(state).texts), 0)

    def _ways(self, state: State) -> Ways:
        found: dict[int, set[Place]] = {}
        for place in state:
            for number, target in self._from(place):
                found.setdefault(number, set()).update(target)
        ids = sorted(found)
        return Ways(np.array(ids, np.int64), tuple(frozenset(found[number]) for number in ids))

    def _from(self, place: Place) -> Iterator[tuple[int, Sequence[Place]]]:
        """Each token that may come at a place, and the places that it leads to."""
        yield from self._letters(place)
        for reached in self._reached(place):
            entered = self._entered(reached)
            yield from self._letters(entered)
            if entered.high:
                yield from ((number, (entered,)) for mark in BETWEEN for number in self._tokens.numbers(mark))
            if reached in self._grammar.ends:
                yield END, ()
                yield from ((number, (OVER,)) for mark in BEHIND for number in self._tokens.numbers(mark))
        if place == OVER:
            yield END, ()

    def _letters(self, place: Place) -> Iterator[tuple[int, Sequence[Place]]]:
        """Tokens that say more of the texts of a place."""
        if place == OVER:
            return
        texts = self._laid_out(place.state).texts
        before = ""
        for low in range(place.low, place.high):
            text = texts[low]
            shared = alike(before, text)  # what begins so was seen with the text before
            for size in range(max(place.said, shared) + 1, min(len(text), place.said + self._tokens.longest) + 1):
                if numbers := self._tokens.numbers(text[place.said : size]):
                    high = bisect_right(texts, text[:size] + HIGHEST, low, place.high)
                    for number in numbers:
                        yield number, (Place(place.state, low, high, size),)
            before = text

    def _reached(self, place: Place) -> set[int]:
        """States in which the grammar is where one of the texts was said to its end."""
        if place == OVER or place.low == place.high:
            return set()
        forms = self._laid_out(place.state)
        text = forms.texts[place.low]
        return {target for _, target in forms.forms[text]} if len(text) == place.said else set()


OVER = Place(-1, 0, 0, 0)
"""After the mark that ends a sentence."""


def laid_out(said: str) -> str:
    """A spoken form as tokens spell it: with a blank before each word, but not before a sign such as ``%``."""
    text = folded(" ".join(said.split()))
    return BLANK + text if text[:1].isalnum() else text


def behind(text: str) -> Iterator[str]:
    """What is left of a text behind a piece, with and without a mark between the two."""
    yield text
    for mark in BETWEEN:
        if text.startswith(mark + BLANK):
            yield text[len(mark) :]


def alike(one: str, other: str) -> int:
    """How many letters both begin with."""
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
