"""Recognisers, which take second looks at proposed wake words: the protocol, and one with a model in this process."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.wake.spellings import Look
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineError, EngineUnavailable
from irene_wyoming.tasks import ended

log = logging.getLogger(__name__)

HOPELESS = 12.0
"""Distance (natural logarithm) to the open transcript at which a phrase was not said."""

PAD = 3200
"""Samples of silence behind the audio: the recogniser is then surer of the end of a word."""


class Scorer(Protocol):
    """Compares audio with phrases. Synchronous."""

    def look(self, samples: NDArray[np.float32], phrases: Sequence[str], hopeless: float) -> Look:
        """Take a look.

        :param samples: 16 kHz, mono, full scale 1.
        :param hopeless: distance (natural logarithm) of the phrases to the open transcript at which the look ends.
        :raises EngineFailed: the model breaks.
        """


class Recogniser(Protocol):
    """A recogniser that takes second looks. For the event loop's thread."""

    @property
    def ready(self) -> bool:
        """Whether a look need not wait for a model to be loaded."""

    def prepare(self) -> None:
        """Prepare for looks: a listener wants a word that may need them. Call it from a running loop."""

    async def look(self, audio: bytes, phrases: Sequence[str]) -> Look:
        """Compare the audio with the phrases.

        :param audio: 16 kHz, 16 bit, mono; 1 to 3 s with the phrase whole in it.
        :raises EngineBusy: too many looks wait.
        :raises EngineError: there is no recogniser, or it breaks.
        """

    async def close(self) -> None:
        """Close the recogniser. May be called more than once."""


class OwnRecogniser:
    """A model in this process, loaded when a listener first wants a word that may need looks.

    :param load: loads the scorer, which may be slow; raises EngineError where there is none.
    :param server: name of this process's server, for the log.
    """

    def __init__(self, load: Callable[[], Scorer], server: str = "wake") -> None:
        self._server = server
        self._load = load
        self._worker = Worker("second look")
        self._scorer: asyncio.Task[Scorer | None] | None = None
        self._missing = ""  # the reason why there is no scorer, once that is known

    @property
    def ready(self) -> bool:
        """Whether the model is loaded, or known to be missing."""
        return self._scorer is not None and self._scorer.done()

    def prepare(self) -> None:
        if self._scorer is None:
            self._scorer = asyncio.create_task(self._loaded(), name="second look")

    async def look(self, audio: bytes, phrases: Sequence[str]) -> Look:
        """Take a look; raises EngineError where the model cannot be loaded, or breaks."""
        self.prepare()
        assert self._scorer is not None
        scorer = await asyncio.shield(self._scorer)
        if scorer is None:
            raise EngineUnavailable(self._missing)
        found: Look = await self._worker.run(scorer.look, samples(audio), phrases, HOPELESS)
        return found

    async def close(self) -> None:
        await ended(self._scorer)
        await self._worker.close()

    async def _loaded(self) -> Scorer | None:
        began = time.perf_counter()
        try:
            scorer = await self._worker.run(self._load)
        except EngineError as error:
            log.warning("%s: no second look at wake words: %s", self._server, error)
            self._missing = f"there is no recogniser: {error}"
            return None
        seconds = time.perf_counter() - began
        log.info("%s: a recogniser takes second looks at wake words, loaded in %.1f s", self._server, seconds)
        return scorer


def samples(audio: bytes) -> NDArray[np.float32]:
    """Convert 16 bit mono PCM to samples of full scale 1, with some silence behind."""
    return np.pad(np.frombuffer(audio, "<i2").astype(np.float32) / 32_768, (0, PAD))
