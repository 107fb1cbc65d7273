"""SecondLook: a speech recogniser decides whether a proposed wake word was said, on a thread of its own."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from irene_wyoming import metrics
from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.spellings import Look, Phrase
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineError

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
"""What the first stage would have told waits no longer for its look, and while the model is loaded not at all."""

LONG_PATIENCE_S = 3.0
"""What the first stage would not have told can only be missed without a look, and is worth more late than never."""

HOPELESS = 12.0
"""Natural logarithm: a phrase that is so much less likely than what the recogniser would rather write is none."""

MOST_WAITING = 16
"""Looks of live streams that may wait for the thread: as many rooms in which somebody speaks."""

PAD = 3200
"""Samples of silence behind the audio: the recogniser writes the end of a word more surely when something follows."""

TELL_EVERY_S = 60.0
"""How often the log says that looks were left out."""


class Scorer(Protocol):
    """Compares audio with phrases."""

    def look(self, samples: NDArray[np.float32], phrases: Sequence[str], hopeless: float) -> Look:
        """:param samples: 16 kHz, mono, full scale 1.
        :param hopeless: by how much the phrases may be less likely than the open transcript before the look ends.
        :raises EngineFailed: the model breaks.
        """


class Outcome(StrEnum):
    """What has become of a proposal."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    BUSY = "busy"
    """Too many looks wait, or this one took too long: the first stage decided."""
    MISSING = "missing"
    """There is no recogniser, or it breaks: the first stage decided."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one proposal."""

    told: bool
    """The word counts as said."""
    outcome: Outcome
    word: str
    margin: float = 0.0
    """By how much the look went beyond what it had to reach."""
    look: Look | None = None
    """None: nobody looked."""


class SecondLook:
    """For the event loop's thread.

    :param load: gives the recogniser; slow. Raises EngineError where there is none.
    """

    def __init__(self, load: Callable[[], Scorer]) -> None:
        self._load = load
        self._worker = Worker("second look")
        self._scorer: asyncio.Task[Scorer | None] | None = None
        self._waiting = 0
        self._told: float | None = None

    @property
    def ready(self) -> bool:
        """The recogniser is loaded, or there is none."""
        return self._scorer is not None and self._scorer.done()

    def prepare(self) -> None:
        """Have the recogniser loaded, if it is not yet: somebody listens for a word that may be looked at."""
        if self._scorer is None:
            self._scorer = asyncio.create_task(self._loaded(), name="second look")

    async def judge(self, proposed: Proposed, phrases: Sequence[tuple[str, Phrase]], *, live: bool) -> Verdict:
        """:param phrases: the words that may have been said, and what to look for.
        :param live: somebody waits; False: a recording, which has time.
        """
        self.prepare()
        assert self._scorer is not None
        if live and self._waiting >= MOST_WAITING:
            return self._left_out(proposed, Outcome.BUSY, "too many words at once")
        if live and proposed.usual and not self._scorer.done():
            return self._left_out(proposed, Outcome.BUSY, "the recogniser is being loaded")
        self._waiting += 1
        try:
            patience = None if not live else PATIENCE_S if proposed.usual else LONG_PATIENCE_S
            async with asyncio.timeout(patience):
                scorer = await asyncio.shield(self._scorer)
                if scorer is None:
                    return self._left_out(proposed, Outcome.MISSING, "there is no recogniser")
                began = time.perf_counter()
                audio, wanted = samples(proposed.audio), spellings(phrases)
                look = await self._worker.run(scorer.look, audio, wanted, HOPELESS)
                metrics.SECOND_LOOK_SECONDS.observe(time.perf_counter() - began)
        except TimeoutError:
            return self._left_out(proposed, Outcome.BUSY, "the recogniser takes too long")
        except EngineError as error:
            return self._left_out(proposed, Outcome.MISSING, str(error))
        finally:
            self._waiting -= 1
        verdict = decided(proposed, phrases, look)
        metrics.SECOND_LOOKS.labels(verdict.outcome).inc()
        return verdict

    async def close(self) -> None:
        """May be called more than once."""
        if self._scorer is not None:
            self._scorer.cancel()
            await asyncio.wait([self._scorer])
        await self._worker.close()

    async def _loaded(self) -> Scorer | None:
        began = time.perf_counter()
        try:
            scorer = await self._worker.run(self._load)
        except EngineError as error:
            log.warning("wake: no second look at wake words: %s", error)
            return None
        log.info("wake: a recogniser looks twice at wake words, loaded in %.1f s", time.perf_counter() - began)
        return scorer

    def _left_out(self, proposed: Proposed, outcome: Outcome, why: str) -> Verdict:
        """Fail open: what the first stage alone would have told is told."""
        metrics.SECOND_LOOKS.labels(outcome).inc()
        now = time.monotonic()
        if self._told is None or now - self._told >= TELL_EVERY_S:
            log.warning("wake: words are told without a second look, above their usual threshold: %s", why)
            self._told = now
        return Verdict(proposed.usual, outcome, proposed.model)


def samples(audio: bytes) -> NDArray[np.float32]:
    """16 bit mono -> full scale 1, with some silence behind."""
    return np.pad(np.frombuffer(audio, "<i2").astype(np.float32) / 32_768, (0, PAD))


def spellings(phrases: Sequence[tuple[str, Phrase]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spelling for _, phrase in phrases for spelling in phrase.spellings))


def decided(proposed: Proposed, phrases: Sequence[tuple[str, Phrase]], look: Look) -> Verdict:
    """Whether the word was said, by what the look has found."""
    for word, phrase in phrases:
        if look.phrase in phrase.spellings:
            margin = phrase.margin(look, usual=proposed.usual)
            return Verdict(margin >= 0, Outcome.ACCEPTED if margin >= 0 else Outcome.REFUSED, word, margin, look)
    return Verdict(False, Outcome.REFUSED, proposed.model, -np.inf, look)
