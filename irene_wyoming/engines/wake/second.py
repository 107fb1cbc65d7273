"""SecondLook: a speech recogniser decides whether a proposed wake word was said."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from irene_wyoming import metrics
from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.recogniser import Recogniser
from irene_wyoming.engines.wake.spellings import Look, Phrase
from irene_wyoming.errors import EngineBusy, EngineError

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
"""Seconds that a hit of the first stage waits for its look; while the model is loaded, none."""

LONG_PATIENCE_S = 3.0
"""Seconds that a proposal without a hit of the first stage waits: only the look can save it."""

MOST_WAITING = 16
"""Most looks of live streams that wait for the thread: one for each room in which somebody speaks."""

TELL_EVERY_S = 60.0
"""Seconds between two log lines about left out looks."""


RESTS_S = 10.0
"""Seconds without looks after the engines were behind: a look takes as much CPU time as 2 s of an engine."""

LATE_IN_A_ROW = 4
"""Late looks in a row after which words do not wait for theirs."""


class Outcome(StrEnum):
    """The outcome of a proposal."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    BUSY = "busy"
    """Too many looks wait, or this one took too long: the first stage decided."""
    SHED = "shed"
    """The engines were behind, and have priority: the first stage decided."""
    MISSING = "missing"
    """There is no recogniser, or it breaks: the first stage decided."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one proposal."""

    told: bool
    """Whether the word counts as said."""
    outcome: Outcome
    word: str
    margin: float = 0.0
    """The amount by which the look exceeded its limit."""
    look: Look | None = None
    """The look; None: there was none."""


class SecondLook:
    """Takes second looks. For the event loop's thread. Without a look the first stage alone decides.

    :param recogniser: takes the looks; it is closed with this object.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._waiting = 0
        self._told: float | None = None
        self._late = 0  # looks in a row that took too long
        self._rests_until = -inf

    @property
    def ready(self) -> bool:
        """Whether a look need not wait for a model to be loaded."""
        return self._recogniser.ready

    def prepare(self) -> None:
        """Prepare for looks: a listener wants a word that may need them."""
        self._recogniser.prepare()

    def rest(self) -> None:
        """Leave out looks for a while, so that engines or looks that are behind can catch up."""
        self._rests_until = time.monotonic() + RESTS_S

    def resting(self) -> bool:
        """Whether looks are left out at present. From any thread."""
        return time.monotonic() < self._rests_until

    async def judge(self, proposed: Proposed, phrases: Sequence[tuple[str, Phrase]], *, live: bool) -> Verdict:
        """Judge a proposal.

        :param phrases: words that may have been said, each with its phrase.
        :param live: whether the audio is live; a recording can wait.
        """
        self.prepare()
        if live and self.resting():
            return self._left_out(proposed, Outcome.SHED, "this machine is behind, and the engines come first")
        if live and self._waiting >= MOST_WAITING:
            return self._left_out(proposed, Outcome.BUSY, "too many words at once")
        if live and proposed.usual and not self.ready:
            return self._left_out(proposed, Outcome.BUSY, "the recogniser is being loaded")
        self._waiting += 1
        try:
            patience = None if not live else PATIENCE_S if proposed.usual else LONG_PATIENCE_S
            began = time.perf_counter()
            async with asyncio.timeout(patience):
                look = await self._recogniser.look(proposed.audio, spellings(phrases))
            metrics.SECOND_LOOK_SECONDS.observe(time.perf_counter() - began)
            self._late = 0
        except TimeoutError:
            self._late += 1
            if self._late >= LATE_IN_A_ROW:
                self.rest()
            return self._left_out(proposed, Outcome.BUSY, "the recogniser takes too long")
        except EngineBusy as error:
            return self._left_out(proposed, Outcome.BUSY, str(error))
        except EngineError as error:
            return self._left_out(proposed, Outcome.MISSING, str(error))
        finally:
            self._waiting -= 1
        verdict = decided(proposed, phrases, look)
        metrics.SECOND_LOOKS.labels(verdict.outcome).inc()
        return verdict

    async def close(self) -> None:
        """Close the second look. May be called more than once."""
        await self._recogniser.close()

    def _left_out(self, proposed: Proposed, outcome: Outcome, why: str) -> Verdict:
        """The verdict without a look: hits of the first stage count."""
        metrics.SECOND_LOOKS.labels(outcome).inc()
        now = time.monotonic()
        if self._told is None or now - self._told >= TELL_EVERY_S:
            log.warning("wake: words are told without a second look, above their usual threshold: %s", why)
            self._told = now
        return Verdict(proposed.usual, outcome, proposed.model)


def spellings(phrases: Sequence[tuple[str, Phrase]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spelling for _, phrase in phrases for spelling in phrase.spellings))


def decided(proposed: Proposed, phrases: Sequence[tuple[str, Phrase]], look: Look) -> Verdict:
    """Decide whether the word was said, by the look."""
    for word, phrase in phrases:
        if look.phrase in phrase.spellings:
            margin = phrase.margin(look, usual=proposed.usual)
            return Verdict(margin >= 0, Outcome.ACCEPTED if margin >= 0 else Outcome.REFUSED, word, margin, look)
    return Verdict(False, Outcome.REFUSED, proposed.model, -inf, look)
