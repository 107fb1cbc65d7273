"""Phrases: measures how well a few fixed phrases fit a short piece of audio.

A wake word's first stage fires on all that sounds like the word. The recogniser then compares the phrase with its own
open transcript.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.asr.guided.graph import Graph
from irene_wyoming.engines.asr.guided.model import Moonshine, Sound, packaged, shared
from irene_wyoming.engines.asr.guided.search import QUICK, Candidate, Result, Search, limit
from irene_wyoming.engines.asr.guided.tokens import END

log = logging.getLogger(__name__)

MOST_GRAPHS = 64
"""Most sets of phrases whose graphs are kept, and most single phrases. A graph takes some kilobytes."""

NOISE = 38_400, 0.01
"""Samples and amplitude of the noise in which a phrase's commonness is measured: as long as a look."""

COMMON = -9.0
"""Prior (natural logarithm) from which a phrase cannot be told from noise."""

NEAR = -12.0
"""LLR below which a phrase was not said, and its commonness is not measured."""


SURE_LLR, SURE_PER_TOKEN = -5.0, -2.5
"""LLR and score per token (natural logarithms) with which a look ends: more steps only raise the LLR, and no word asks
for more. With -2 and -1.2 the slowest packaged word took 86 ms of CPU, and now 66.
"""

FAINT = 3.0
"""Distance (natural logarithm) beyond which other spellings hardly add to the best one's score."""


@dataclass(frozen=True, slots=True)
class Look:
    """The result of a look at a piece of audio. Logarithms are natural ones."""

    phrase: str | None
    """The likeliest phrase; None: the audio is not near any of them."""
    llr: float
    """Logarithm of its probability over that of ``open_text``; minus infinity without a phrase."""
    absolute: float
    """Logarithm of the phrase's probability."""
    per_token: float
    """``absolute`` divided by the tokens of the phrase."""
    open_text: str
    """The open transcript of the audio."""
    prior: float = -inf
    """Logarithm of the phrase's probability in mere noise: -5 of "thank you", -15 of "computer", -24 of "view glass".
    Minus infinity: the phrase is not near, so it was not measured.
    """


@dataclass(frozen=True, slots=True)
class _Arc:
    said: tuple[str, ...]
    written: str
    target: int


class _Phrases:
    """A grammar of whole phrases."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self.arcs = (tuple(_Arc((phrase,), phrase, 1) for phrase in phrases), ())
        self.ends = frozenset([1])


class PhraseScorer:
    """Looks for phrases with a loaded model. Several threads may use it at once.

    :param model: the model, which may have other users.
    """

    def __init__(self, model: Moonshine) -> None:
        self._model = model
        self._graph = lru_cache(MOST_GRAPHS)(self._made)
        self.prior = lru_cache(MOST_GRAPHS)(self._prior)
        """Gives a phrase's log probability in mere noise (natural logarithm), cached."""

    def look(self, samples: NDArray[np.float32], phrases: Sequence[str], hopeless: float = inf) -> Look:
        """Compare audio with phrases, which takes about 20 ms of CPU for 2 s.

        :param samples: 16 kHz, mono, full scale 1. Best 1 to 3 s with the phrase whole in it.
        :param phrases: at least one. A word that the model cannot spell may be given in several spellings.
        :param hopeless: distance (natural logarithm) to the open transcript at which the look ends. That saves half of
            the CPU time on other speech.
        :raises EngineFailed: the model breaks.
        """
        found = self._searched(self._model.listen(samples), self._graph(tuple(phrases)), hopeless)
        best = likeliest(found)
        if best is None:
            return Look(None, -np.inf, -np.inf, -np.inf, found.open_text)
        llr = best.score - found.open_score
        prior = self.prior(best.written) if llr >= NEAR else -inf
        return Look(best.written, llr, best.score, best.score / len(best.ids), found.open_text, prior)

    def _searched(self, sound: Sound, graph: Graph, hopeless: float) -> Result:
        """Search as far as it matters: a decided look goes no further."""
        search = Search(graph, self._model.tokens, limit(sound.seconds), QUICK)
        logp, past = sound.begun
        while len(ids := search.step(logp[:, -1])):
            if search.behind > hopeless or (hopeless < inf and decided(search.result(), search.behind)):
                break
            logp, past = self._model.step(sound, ids, past.rows(search.rows))
        return search.result()

    @cached_property
    def _noise(self) -> Sound:
        size, amplitude = NOISE
        return self._model.listen(np.random.default_rng(1).normal(scale=amplitude, size=size).astype(np.float32))

    def _prior(self, phrase: str) -> float:
        """The prior of a phrase: look for it in noise, once, for 50 ms of CPU."""
        best = likeliest(self._searched(self._noise, self._graph((phrase,)), inf))
        if best is None:
            return -inf
        if best.score > COMMON:
            log.warning(
                "%r is so common that the recogniser hears it in mere noise; as a wake word it is ignored", phrase
            )
        return float(best.score)

    def _made(self, phrases: tuple[str, ...]) -> Graph:
        return Graph(_Phrases(phrases), self._model.tokens)


def likeliest(found: Result) -> Candidate | None:
    """The phrase with the highest score, whatever its number of words; None: none is near."""
    return max(found.nearest, key=lambda candidate: candidate.score, default=None)


def decided(found: Result, behind: float) -> bool:
    """Whether more steps cannot change the result of a look.

    :param behind: distance (natural logarithm) of the best way to the open transcript.
    """
    best = likeliest(found)
    if best is None:
        return False
    if min(best.score - found.open_score - SURE_LLR, best.score / len(best.ids) - SURE_PER_TOKEN) >= 0:
        return True  # the phrase can only gain on the open transcript
    return found.open_ids[-1] == END and best.score - (found.open_score - behind) >= FAINT


def packaged_scorer() -> PhraseScorer:
    """Make a scorer with the packaged model. Slow, unless the engine of this process has loaded it.

    :raises EngineUnavailable: the model is not installed.
    """
    return PhraseScorer(shared(packaged()))
