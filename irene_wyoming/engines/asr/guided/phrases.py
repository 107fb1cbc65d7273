"""Phrases: how well a few fixed phrases fit a short piece of audio.

A wake word's first stage fires on whatever sounds like the word. The recogniser then looks a second time: it compares
the phrase with what it would rather write itself.
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
"""Sets of phrases whose graphs are kept, and phrases by themselves. A graph of some phrases has some kilobytes."""

NOISE = 38_400, 0.01
"""Samples and amplitude of the noise in which it is measured how common a phrase is: as long as a look."""

COMMON = -9.0
"""Natural logarithm: what the recogniser writes so readily in mere noise cannot be told from it."""

NEAR = -12.0
"""LLR below which nobody asks how common a phrase is: it was not said."""


SURE_LLR, SURE_PER_TOKEN = -2.0, -1.2
"""Natural logarithms: a phrase that reaches both was said, whichever of our words it is."""

FAINT = 3.0
"""Natural logarithm: spellings that are so much less likely than the best add some hundredths to its score."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a piece of audio has found. Logarithms are natural ones."""

    phrase: str | None
    """The likeliest of the phrases. None: nothing in the audio is near any of them."""
    llr: float
    """Logarithm of its probability over that of ``open_text``; minus infinity where there is no phrase."""
    absolute: float
    """Logarithm of the phrase's probability."""
    per_token: float
    """``absolute`` divided by the tokens of the phrase."""
    open_text: str
    """What the audio says when anything may be said."""
    prior: float = -inf
    """Logarithm of the phrase's probability in mere noise: -5 of "thank you", -15 of "computer", -24 of "view glass".
    Minus infinity where the phrase is not near anyway.
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
    """Looks for phrases with a loaded model. May be used by several threads at once.

    :param model: shared with whoever else uses it.
    """

    def __init__(self, model: Moonshine) -> None:
        self._model = model
        self._graph = lru_cache(MOST_GRAPHS)(self._made)
        self.prior = lru_cache(MOST_GRAPHS)(self._prior)
        """Tells how likely a phrase is where nobody speaks, natural logarithm."""

    def look(self, samples: NDArray[np.float32], phrases: Sequence[str], hopeless: float = inf) -> Look:
        """Compare the audio with the phrases; about 20 ms of CPU time for 2 s.

        :param samples: 16 kHz, mono, full scale 1. Best 1 to 3 s with the phrase whole in it.
        :param phrases: at least one. A word that the model cannot spell may be given in several spellings.
        :param hopeless: when the phrases are so much less likely than the open transcript, natural logarithm, the look
            ends: nothing near was said. That spares half of the CPU time at other speech.
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
        """What is nearest, as far as it matters: a look that is decided goes no further."""
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
        """Look for one phrase in noise: 50 ms of CPU time, once for each."""
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
    """The phrase whose score is highest, whatever the number of its words; None: none is near."""
    return max(found.nearest, key=lambda candidate: candidate.score, default=None)


def decided(found: Result, behind: float) -> bool:
    """Whether going on could not change what becomes of a look.

    :param behind: by how much what is still followed is less likely than the open transcript.
    """
    best = likeliest(found)
    if best is None:
        return False
    if min(best.score - found.open_score - SURE_LLR, best.score / len(best.ids) - SURE_PER_TOKEN) >= 0:
        return True  # it can only become likelier, and the open transcript only less likely
    return found.open_ids[-1] == END and best.score - (found.open_score - behind) >= FAINT


def packaged_scorer() -> PhraseScorer:
    """A scorer with the packaged model. Slow: loads it, unless the engine of this process has it.

    :raises EngineUnavailable: it is not there.
    """
    return PhraseScorer(shared(packaged()))
