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
"""What the first stage would have told waits no longer for its look, and while the model is loaded not at all."""

LONG_PATIENCE_S = 3.0
"""What the first stage would not have told can only be missed without a look, and is worth more late than never."""

MOST_WAITING = 16
"""Looks of live streams that may wait for the thread: as many rooms in which somebody speaks."""

TELL_EVERY_S = 60.0
"""How often the log says that looks were left out."""


RESTS_S = 10.0
"""For so long nobody looks after the engines were behind: each look takes as much CPU time as 2 s of an engine's."""

LATE_IN_A_ROW = 4
"""Looks that took too long one after the other: the next words are not to wait for theirs in vain."""


class Outcome(StrEnum):
    """What has become of a proposal."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    BUSY = "busy"
    """Too many looks wait, or this one took too long: the first stage decided."""
    SHED = "shed"
    """The engines were behind, which come first: the first stage decided."""
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
    """For the event loop's thread. A word that nobody can look at is told where the first stage alone would tell it.

    :param recogniser: who looks. It is closed with this.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._waiting = 0
        self._told: float | None = None
        self._late = 0  # looks in a row that took too long
        self._rests_until = -inf

    @property
    def ready(self) -> bool:
        """A look need not wait for a model to be loaded."""
        return self._recogniser.ready

    def prepare(self) -> None:
        """Somebody listens for a word that may be looked at."""
        self._recogniser.prepare()

    def rest(self) -> None:
        """The engines or the looks are behind: looks are shed for a while, so that they catch up."""
        self._rests_until = time.monotonic() + RESTS_S

    def resting(self) -> bool:
        """Whether looks are shed just now. From any thread."""
        return time.monotonic() < self._rests_until

    async def judge(self, proposed: Proposed, phrases: Sequence[tuple[str, Phrase]], *, live: bool) -> Verdict:
        """:param phrases: the words that may have been said, and what to look for.
        :param live: somebody waits; False: a recording, which has time.
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
        """May be called more than once."""
        await self._recogniser.close()

    def _left_out(self, proposed: Proposed, outcome: Outcome, why: str) -> Verdict:
        """Fail open: what the first stage alone would have told is told."""
        metrics.SECOND_LOOKS.labels(outcome).inc()
        now = time.monotonic()
        if self._told is None or now - self._told >= TELL_EVERY_S:
            log.warning("wake: words are told without a second look, above their usual threshold: %s", why)
            self._told = now
        return Verdict(proposed.usual, outcome, proposed.model)


def spellings(phrases: Sequence[tuple[str, Phrase]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spelling for _, phrase in phrases for spelling in phrase.spellings))


def decided(proposed: Proposed, phrases: Sequence[tuple[str, Phrase]], look: Look) -> Verdict:
    """Whether the word was said, by what the look has found."""
    for word, phrase in phrases:
        if look.phrase in phrase.spellings:
            margin = phrase.margin(look, usual=proposed.usual)
            return Verdict(margin >= 0, Outcome.ACCEPTED if margin >= 0 else Outcome.REFUSED, word, margin, look)
    return Verdict(False, Outcome.REFUSED, proposed.model, -inf, look)
