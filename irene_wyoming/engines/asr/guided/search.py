"""Search: the open transcript of a piece of audio, and the sentences of a grammar that are nearest to it.

Both are found together, step by step: one row of the decoder's batch says whatever is likeliest, the others may only go
where the graph goes. The difference of their scores tells a command from other speech (the likelihood ratio of keyword
spotting: R. Rose and D. Paul, 1990, "A hidden Markov model based keyword recognition system").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.asr.guided.graph import BEHIND, BETWEEN, Graph, State
from irene_wyoming.engines.asr.guided.tokens import BLANK, END, START, Tokens

WIDTH = 8
"""Ways that are followed at a time. 16 found nothing more in any set of recordings."""

GIVEN_UP = 10.0
"""Natural logarithm: ways that are so much less likely than the best one are not followed."""

SETTLED = 5.0
"""The same, under the best sentence that is complete. Runners-up are told within this distance."""

TOKENS_PER_SECOND = 6.5
"""Nobody speaks faster. Without a limit the model repeats itself on what is no speech."""

WORD = 0.7
"""Natural logarithm: what each word of a command adds when commands are compared with each other. Without it the model
prefers commands that end too early: it finds an end likely wherever one may be."""

FEW_TOKENS = 8
"""Allowed whatever the length of the audio."""

Array = NDArray[np.float32]


class Memory(Protocol):
    """What a decoder remembers of the tokens of each row."""

    def rows(self, which: Sequence[int]) -> "Memory": ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of the grammar."""

    written: str
    """In its canonical wording."""
    said: str
    """As the model spelled it."""
    score: float
    """Natural logarithm of its probability, over all ways to spell it that were met."""
    ids: tuple[int, ...]
    """Tokens of the likeliest spelling, with END."""

    @property
    def rank(self) -> float:
        """By which commands are compared with each other."""
        return self.score + WORD * (self.said.count(" ") + 1)


@dataclass(frozen=True, slots=True)
class Result:
    """What a piece of audio may say."""

    open_text: str
    open_score: float
    """Natural logarithm of the probability of the open transcript."""
    open_ids: tuple[int, ...]
    """Its tokens; with END unless it was too long."""
    nearest: tuple[Candidate, ...]
    """Sentences of the grammar, best first; none where nothing is near."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A sentence that is not complete yet."""

    score: float
    state: State
    ids: tuple[int, ...]
    key: str
    """What it says, folded and without marks: spellings of the same are one way."""

    @property
    def rank(self) -> float:
        return ranked(self.score, self.key)


class Search:
    """One search. ``step`` it with what the decoder says until it is over.

    :param graph: None: only the open transcript is wanted.
    :param longest: tokens after which it ends.
    """

    def __init__(self, graph: Graph | None, tokens: Tokens, longest: int, width: int = WIDTH) -> None:
        self._graph = graph
        self._tokens = tokens
        self._longest = longest
        self._width = width
        self._open: list[int] = []
        self._open_score = 0.0
        self._open_ended = False
        self._ways = [] if graph is None else [_Way(0.0, graph.start, (), "")]
        self._done: dict[str, tuple[float, float, tuple[int, ...]]] = {}  # key: sum, best, tokens of the best
        self._best_done = -inf
        self.rows: list[int] = []
        """After a step: the rows of that step that the next one goes on from."""

    def first(self) -> NDArray[np.int64]:
        """(1, 1): the token that everything begins with."""
        return np.array([[START]], np.int64)

    def step(self, logp: Array) -> NDArray[np.int64]:
        """Choose how to go on.

        :param logp: (rows, tokens), one row for each of ``rows``; one for all at the first step.
        :return: (rows, 1), the tokens for the next step; no rows: the search is over.
        """
        first = not self.rows
        shift = 0 if first or self._open_ended else 1
        parents = [0] * len(self._ways) if first else list(range(shift, shift + len(self._ways)))
        self.rows, ids = [], []
        if not self._open_ended:
            self._say(logp[0])
            if not self._open_ended:
                self.rows.append(0)
                ids.append(self._open[-1])
        for parent, way in self._follow(logp, parents):
            self.rows.append(parent)
            ids.append(way.ids[-1])
        return np.array(ids, np.int64)[:, None]

    @property
    def behind(self) -> float:
        """By how much the best sentence, complete or not, is less likely than the open transcript up to here."""
        return self._open_score - max((way.score for way in self._ways), default=self._best_done)

    def _say(self, logp: Array) -> None:
        """One more token of the open transcript."""
        token = int(logp.argmax())
        self._open.append(token)
        self._open_score += float(logp[token])
        self._open_ended = token == END or len(self._open) >= self._longest

    def _follow(self, logp: Array, parents: Sequence[int]) -> list[tuple[int, _Way]]:
        """The best ways to go on, with the row that each comes from."""
        found: list[tuple[float, int, int, int]] = []  # score, which way, which of its ways on, token
        best = max((way.score for way in self._ways), default=-inf)
        for index, (way, parent) in enumerate(zip(self._ways, parents, strict=True)):
            ways = self._on(way.state)
            scores = way.score + logp[parent][ways[0]]
            if len(scores) and int(ways[0][0]) == END:
                self._end(way, float(scores[0]))
                scores[0] = -inf
            near = np.flatnonzero(scores > best - 2 * GIVEN_UP)
            found += [(float(scores[place]), index, int(place), int(ways[0][place])) for place in near]
        kept = self._kept(found)
        self._ways = [way for _, way in kept]
        return [(parents[index], way) for index, way in kept]

    def _kept(self, found: list[tuple[float, int, int, int]]) -> list[tuple[int, _Way]]:
        """The best of them, spellings of the same joined."""
        if not found or len(self._ways[0].ids) + 1 >= self._longest:
            return []
        found.sort(reverse=True)
        least = found[0][0] - GIVEN_UP
        merged: dict[tuple[State, str], tuple[int, _Way]] = {}
        for score, index, place, token in found:
            if score < least:
                break
            way = self._ways[index]
            state = self._on(way.state)[1][place]
            key = way.key + self._plain(token)
            if ranked(score, key) < self._best_done - SETTLED:
                continue
            if (state, key) in merged:
                known = merged[state, key]
                more = float(np.logaddexp(known[1].score, score))
                merged[state, key] = known[0], _Way(more, state, known[1].ids, key)
            elif len(merged) < self._width:
                merged[state, key] = index, _Way(score, state, (*way.ids, token), key)
        return list(merged.values())

    def _on(self, state: State) -> tuple[NDArray[np.int64], tuple[State, ...]]:
        assert self._graph is not None
        ways = self._graph.ways(state)
        return ways.ids, ways.states

    def _plain(self, token: int) -> str:
        text = self._tokens.folded(token)
        return "" if text in MARKS else text

    def _end(self, way: _Way, score: float) -> None:
        total, best, ids = self._done.get(way.key, (-inf, -inf, ()))
        if score > best:
            best, ids = score, (*way.ids, END)
        self._done[way.key] = float(np.logaddexp(total, score)), best, ids
        self._best_done = max(self._best_done, ranked(self._done[way.key][0], way.key))

    def result(self) -> Result:
        """What was found up to now."""
        candidates: dict[str, Candidate] = {}
        for score, _, ids in sorted(self._done.values(), reverse=True):
            said = self._tokens.text(ids)
            written = self._graph.written(said) if self._graph is not None else None
            if written is None:
                continue
            known = candidates.get(written)
            if known is None:
                candidates[written] = Candidate(written, said, score, ids)
            else:
                more = float(np.logaddexp(known.score, score))
                candidates[written] = Candidate(written, known.said, more, known.ids)
        nearest = sorted(candidates.values(), key=lambda candidate: -candidate.rank)
        return Result(self._tokens.text(self._open), self._open_score, tuple(self._open), tuple(nearest))


def ranked(score: float, key: str) -> float:
    return score + WORD * key.count(BLANK)


MARKS = frozenset({*BETWEEN, *BEHIND})


def limit(seconds: float) -> int:
    """Tokens that so much audio can hold."""
    return FEW_TOKENS + round(TOKENS_PER_SECOND * seconds)
