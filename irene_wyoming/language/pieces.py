"""Pieces: a grammar prepared for comparisons, with each piece once for all its places."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.language.closeness import Forms
from irene_wyoming.language.grammar import Arc, Grammar, plain

FORMS = 4
"""Most spoken forms of a piece that are compared."""

SMALL = frozenset(["a", "an", "the", "of", "to", "with", "and", "in", "i", "some"])
"""English words that may be missing from what was heard. In other languages they mean more."""


class Piece(NamedTuple):
    """A word, a number or a name of a grammar."""

    number: int
    written: str
    said: str
    """The usual way to say it, in words."""
    numerals: frozenset[str]
    """Its words that are numbers."""
    name: bool
    """Whether it is a name of the home."""


class Choices(NamedTuple):
    """The pieces that may come at one state, each once per form to compare."""

    forms: NDArray[np.intp]
    pieces: Sequence[tuple[Piece, int]]
    """Pieces, each with the state behind it."""


class Compared:
    """The forms of some pieces, for comparison with what was heard.

    :param share: largest share of its letters in which a form may differ.
    :param least: letters that may always differ, even in a short form.
    """

    def __init__(self, pieces: Iterable[tuple[Piece, Arc]], share: float, least: float) -> None:
        self._share, self._least = share, least
        ordered = sorted(pieces, key=lambda pair: bool(pair[0].numerals))
        numbers: dict[str, int] = {}
        self._plain = 0  # number of forms without a number, which come first
        self._of_piece: dict[int, list[int]] = {}
        self._pieces: dict[int, list[Piece]] = {}
        for piece, arc in ordered:
            forms = [numbers.setdefault(form, len(numbers)) for form in _compared(arc.said)]
            self._of_piece[piece.number] = forms
            for form in forms:
                self._pieces.setdefault(form, []).append(piece)
            if not piece.numerals:
                self._plain = len(numbers)
        texts = list(numbers)
        self._words, self._numbers = Forms(texts[: self._plain]), Forms(texts[self._plain :])

    def choices(self, following: Iterable[tuple[Piece, int]]) -> Choices:
        """The pieces among ``following`` that are compared here, with their forms."""
        found = [(number, pair) for pair in following for number in self._of_piece.get(pair[0].number, ())]
        return Choices(np.array([number for number, _ in found], np.intp), [pair for _, pair in found])

    def hits(self, spans: Sequence[str], numerals: Sequence[bool]) -> list[list[tuple[Piece, float]]]:
        """The pieces similar to each span, nearest first, with the number of letters that differ."""
        found: list[list[tuple[Piece, float]]] = [[] for _ in spans]
        costs = self.costs(spans, numerals)
        for row, column in zip(*np.nonzero(np.isfinite(costs)), strict=True):
            found[row] += [(piece, float(costs[row, column])) for piece in self._pieces[column]]
        return [sorted(pairs, key=lambda pair: pair[1]) for pairs in found]

    def costs(self, spans: Sequence[str], numerals: Sequence[bool]) -> NDArray[np.float32]:
        """The number of letters in which each span differs from each form; infinite: too many.

        :param numerals: whether each span has a number; spans and forms match only where both or neither have one.
        """
        costs = np.full((len(spans), self._plain + len(self._numbers.sizes)), np.inf, np.float32)
        rows = [row for row, numeral in enumerate(numerals) if numeral]
        if spans and self._plain:
            costs[:, : self._plain] = self._near(self._words, spans)
        if rows and len(self._numbers.sizes):
            costs[rows, self._plain :] = self._near(self._numbers, [spans[row] for row in rows])
        return costs

    def _near(self, forms: Forms, spans: Sequence[str]) -> NDArray[np.float32]:
        costs = forms.apart(spans)
        near = costs <= np.maximum(self._least, self._share * forms.sizes)
        return np.where(near, costs, np.float32(np.inf))


class Pieces:
    """The pieces of a grammar.

    :param names: the home's names, as written.
    :param numerals: words that are numbers.
    :param small: words that may be missing in what was heard.
    """

    def __init__(
        self, grammar: Grammar, names: frozenset[str], numerals: frozenset[str], small: frozenset[str] = SMALL
    ) -> None:
        self.ends = grammar.ends
        self.exact: dict[str, list[Piece]] = {}
        """Pieces by each spoken form in words."""
        self.following: list[dict[int, int]] = []
        """For each state: the number of a piece -> the state behind it."""
        self.small: list[list[tuple[Piece, int]]] = []
        """For each state: the small words, and the state behind each."""
        self.all: list[Piece] = []
        self._arcs: list[Arc] = []
        known: dict[tuple[str, int], Piece] = {}
        for arcs in grammar.arcs:
            for arc in arcs:
                key = arc.written, id(arc.said)  # the grammar keeps the tuple alive, so its id stays valid
                if key not in known:
                    known[key] = self._new(arc, names, numerals)
            pairs = [(known[arc.written, id(arc.said)], arc.target) for arc in arcs]
            self.following.append({piece.number: target for piece, target in pairs})
            self.small.append([(piece, target) for piece, target in pairs if piece.said in small])

    def compared(self, share: float, least: float, *, names: bool) -> Compared:
        """The home's names, or all other pieces."""
        pairs = zip(self.all, self._arcs, strict=True)
        return Compared(((piece, arc) for piece, arc in pairs if piece.name == names), share, least)

    def at(self, state: int) -> list[tuple[Piece, int]]:
        """The pieces that may come at a state, each with the state behind it."""
        return [(self.all[number], target) for number, target in self.following[state].items()]

    def _new(self, arc: Arc, names: frozenset[str], numerals: frozenset[str]) -> Piece:
        said = next(iter(_compared(arc.said)), plain(arc.said[0]))
        numbers = numerals.intersection(arc.said[0].split())
        piece = Piece(len(self.all), arc.written, said, numbers, arc.written in names)
        self.all.append(piece)
        self._arcs.append(arc)
        for form in dict.fromkeys(map(plain, arc.said)):
            self.exact.setdefault(form, []).append(piece)
        return piece


def _compared(said: Sequence[str]) -> list[str]:
    """The forms worth comparing: those in words alone."""
    forms = [form for form in dict.fromkeys(map(plain, said)) if form.replace(" ", "").replace("'", "").isalpha()]
    return [*forms[:FORMS], *(form.replace("ch", "k") for form in forms[:FORMS] if "ch" in form)]
