"""Search: finds the open transcript of a piece of audio and the nearest sentences of a grammar.

Both are found together, step by step: one row of the decoder's batch is free, the others follow the graph. The
difference of their scores tells a command from other speech (the likelihood ratio of keyword spotting: R. Rose and D.
Paul, 1990, "A hidden Markov model based keyword recognition system").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.asr.guided.graph import Graph, Place
from irene_wyoming.engines.asr.guided.tokens import END, START, Tokens


@dataclass(frozen=True, slots=True)
class Effort:
    """How many ways through the graph a search follows."""

    widths: tuple[int, ...]
    """Number of ways per step; the last one holds for all later steps. The beginning of a sentence is the hardest."""
    near: float = 12.0
    """Distance (natural logarithm) to the best way beyond which ways are dropped while it is on the track of the open
    transcript. Elsewhere GIVEN_UP holds.
    """

    def width(self, step: int) -> int:
        """The number of ways at a step."""
        return self.widths[min(step, len(self.widths) - 1)]


QUICK = Effort((12, 8))
"""An effort that finds which of a few phrases was said."""

CLEAR = Effort((16, 12, 8, 6), near=7.0)
"""An effort that finds speech in quiet, with less work than the wide one. With 7 as ``near`` the decoder takes three
quarters of the time that it takes with 12. The nearest of 40 orders by people stayed the same; with 5.5 one was lost.
"""

WIDE = Effort((32, 24, 16, 12, 8), near=9.0)
"""An effort that finds sentences whose beginning noise covers. With 24, 16, 12, 8 and 6 ways a tenth of the time was
saved, and of 79 synthesised commands in noise seven more were lost.
"""

GIVEN_UP = 12.0
"""Distance (natural logarithm) to the best way beyond which ways are dropped. With 10 at later steps one of 40
orders by people was lost in quiet.
"""

ON_TRACK = 0.5
"""Distance (natural logarithm) to the open transcript up to which the best way is what the model would write freely."""

SETTLED = 8.0
"""Distance (natural logarithm) to the best complete sentence beyond which ways are dropped. Runners-up are found within
it.
"""

TOKENS_PER_SECOND = 6.5
"""Most tokens per second of speech. Without a limit the model repeats itself on noise."""

WORD = 1.2
"""Bonus per word (natural logarithm) when commands are compared. Without it the model prefers commands that end too
early: it finds an end likely wherever one may be.
"""

FEW_TOKENS = 8
"""Tokens allowed for any length of audio."""

Array = NDArray[np.float32]


Written = tuple[int, str]
"""The number of completed pieces of the grammar, and their written text."""

Places = dict[Place, Written]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of the grammar that was found."""

    written: str
    """The sentence in its canonical wording."""
    said: str
    """The sentence as the model spelled it."""
    score: float
    """Natural logarithm of its probability, summed over all spellings found."""
    ids: tuple[int, ...]
    """Tokens of the likeliest spelling, with END."""

    @property
    def rank(self) -> float:
        """The score by which commands are compared."""
        return ranked(self.score, self.written)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a search."""

    open_text: str
    open_score: float
    """Natural logarithm of the probability of the open transcript."""
    open_ids: tuple[int, ...]
    """Tokens of the open transcript, with END unless it was too long."""
    nearest: tuple[Candidate, ...]
    """Sentences of the grammar, best first; empty: none is near."""


@dataclass(frozen=True, slots=True)
class _Way:
    """An incomplete sentence. Spellings and fillers that lead to the same are one way."""

    score: float
    places: Places
    ids: tuple[int, ...]
    between: bool
    """Whether a word has just been completed."""

    @property
    def rank(self) -> float:
        return ranked(self.score, max(text for _, text in self.places.values()))


class Search:
    """One search. Call ``step`` with the decoder's output until it is over.

    :param graph: None: only the open transcript is wanted.
    :param longest: number of tokens after which it ends.
    """

    def __init__(self, graph: Graph | None, tokens: Tokens, longest: int, effort: Effort = QUICK) -> None:
        self._graph = graph
        self._tokens = tokens
        self._longest = longest
        self._effort = effort
        self._open: list[int] = []
        self._open_score = 0.0
        self._open_ended = False
        self._open_row = 0  # the row of the open transcript, which may be that of a way
        self._ways = [] if graph is None else [_Way(0.0, {graph.start: (0, "")}, (), between=True)]
        # written text -> sum, best, and tokens of the best
        self._done: dict[str, tuple[float, float, tuple[int, ...]]] = {}
        self._best_done = -inf
        self.rows: list[int] = []
        """The rows of the last step from which the next one goes on."""

    def first(self) -> NDArray[np.int64]:
        """The token that begins every transcript, ``(1, 1)``."""
        return np.array([[START]], np.int64)

    def step(self, logp: Array) -> NDArray[np.int64]:
        """Choose the tokens for the next step.

        :param logp: logarithms ``(rows, tokens)``, a row for each of ``rows``; at the first step one for all.
        :return: tokens ``(rows, 1)``; no rows: the search is over.
        """
        first = not self.rows
        parents = [0] * len(self._ways) if first else list(range(len(self._ways)))
        given_up = self._effort.near if self.behind < ON_TRACK else GIVEN_UP
        spoken = self._open_row
        if not self._open_ended:
            self._say(logp[spoken])
        kept = self._follow(logp, parents, given_up)
        self.rows = [row for row, _ in kept]
        ids = [way.ids[-1] for _, way in kept]
        if not self._open_ended:
            said = tuple(self._open)
            self._open_row = next((row for row, (_, way) in enumerate(kept) if way.ids == said), len(kept))
            if self._open_row == len(kept):
                self.rows.append(spoken)
                ids.append(said[-1])
        return np.array(ids, np.int64)[:, None]

    @property
    def behind(self) -> float:
        """Distance (natural logarithm) of the best sentence, complete or not, to the open transcript so far."""
        return self._open_score - max(
            (way.score for way in self._ways), default=max((total for total, _, _ in self._done.values()), default=-inf)
        )

    def _say(self, logp: Array) -> None:
        """Add one token to the open transcript."""
        token = int(logp.argmax())
        self._open.append(token)
        self._open_score += float(logp[token])
        self._open_ended = token == END or len(self._open) >= self._longest

    def _follow(self, logp: Array, parents: Sequence[int], given_up: float) -> list[tuple[int, _Way]]:
        """The best ways of the next step, with the row that each comes from."""
        if not self._ways:
            return []
        found: list[tuple[float, int, int, int]] = []  # score, index of the way, index of its continuation, token
        best = max(way.score for way in self._ways)
        for index, (way, parent) in enumerate(zip(self._ways, parents, strict=True)):
            ids = self._ids(way)
            scores = way.score + logp[parent][ids]
            if len(ids) and ids[0] == END:
                self._end(way, float(scores[0]))
                scores[0] = -inf
            near = np.flatnonzero(scores > best - given_up)
            found += [(float(scores[place]), index, int(place), int(ids[place])) for place in near]
        kept = self._kept(found, given_up)
        self._ways = [way for _, way in kept]
        return [(parents[index], way) for index, way in kept]

    def _ids(self, way: _Way) -> NDArray[np.int64]:
        assert self._graph is not None
        return self._graph.ways(frozenset(way.places)).ids

    def _kept(self, found: list[tuple[float, int, int, int]], given_up: float) -> list[tuple[int, _Way]]:
        """The best ways: all of the width with a complete word, and half as many within one.

        A part of a word may be likely as another word, and says little about the whole one.
        """
        if not found or len(self._ways[0].ids) + 1 >= self._longest:
            return []
        found.sort(reverse=True)
        least = found[0][0] - given_up
        width = self._effort.width(len(self._ways[0].ids))
        room = {True: width, False: max(2, width // 2)}
        merged: dict[frozenset[tuple[Place, Written]], tuple[int, _Way]] = {}
        for score, index, place, token in found:
            if score < least or not any(room.values()):
                break
            way = self._moved(self._ways[index], place, token, score)
            key = frozenset(way.places.items())
            if key in merged:
                known, first = merged[key]
                more = float(np.logaddexp(first.score, score))
                merged[key] = known, replace(first, score=more)
            elif room[way.between] and way.rank >= self._best_done - SETTLED:
                room[way.between] -= 1
                merged[key] = index, way
        return list(merged.values())

    def _moved(self, way: _Way, place: int, token: int, score: float) -> _Way:
        assert self._graph is not None
        places: Places = {}
        for source, target, written in self._graph.ways(frozenset(way.places)).moves[place]:
            reading = joined(way.places[source], written)
            places[target] = min(reading, places.get(target, reading))
        between = any(self._graph.between(target) for target in places)
        return _Way(score, places, (*way.ids, token), between)

    def _end(self, way: _Way, score: float) -> None:
        assert self._graph is not None
        moves = self._graph.ways(frozenset(way.places)).moves[0]
        _, written = min(joined(way.places[source], piece) for source, _, piece in moves)
        total, best, ids = self._done.get(written, (-inf, -inf, ()))
        if score > best:
            best, ids = score, (*way.ids, END)
        total = float(np.logaddexp(total, score))
        self._done[written] = total, best, ids
        self._best_done = max(self._best_done, ranked(total, written))

    def result(self) -> Result:
        """The result so far."""
        nearest = [Candidate(text, self._tokens.text(ids), sum_, ids) for text, (sum_, _, ids) in self._done.items()]
        nearest.sort(key=lambda candidate: -candidate.rank)
        return Result(self._tokens.text(self._open), self._open_score, tuple(self._open), tuple(nearest))


def joined(before: Written, written: str) -> Written:
    """Add a piece; a reading with fewer pieces sorts first, so that names stay whole."""
    pieces, text = before
    return (pieces + 1, f"{text} {written}".strip()) if written else before


def ranked(score: float, written: str) -> float:
    """The score by which commands, complete or not, are compared."""
    return score + WORD * len(written.split())


def limit(seconds: float) -> int:
    """Most tokens of this much audio."""
    return FEW_TOKENS + round(TOKENS_PER_SECOND * seconds)
