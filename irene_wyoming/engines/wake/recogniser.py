"""Recognisers: who takes a second look at a proposed wake word. This one has a model of its own, on its own thread."""

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
"""Natural logarithm: a phrase that is so much less likely than what the recogniser would rather write is none."""

PAD = 3200
"""Samples of silence behind the audio: the recogniser writes the end of a word more surely when something follows."""


class Scorer(Protocol):
    """Compares audio with phrases. Synchronous."""

    def look(self, samples: NDArray[np.float32], phrases: Sequence[str], hopeless: float) -> Look:
        """:param samples: 16 kHz, mono, full scale 1.
        :param hopeless: by how much the phrases may be less likely than the open transcript before the look ends.
        :raises EngineFailed: the model breaks.
        """


class Recogniser(Protocol):
    """Whom a second look asks. For the event loop's thread."""

    @property
    def ready(self) -> bool:
        """A look need not wait for a model to be loaded."""

    def prepare(self) -> None:
        """Somebody listens for a word that may be looked at. To be called from a running loop."""

    async def look(self, audio: bytes, phrases: Sequence[str]) -> Look:
        """Compare the audio with the phrases.

        :param audio: 16 kHz, 16 bit, mono; 1 to 3 s with the phrase whole in it.
        :raises EngineBusy: too many wait.
        :raises EngineError: there is no recogniser, or it breaks.
        """

    async def close(self) -> None:
        """May be called more than once."""


class OwnRecogniser:
    """A model in this process. It is loaded when somebody first listens for a word that may be looked at.

    :param load: gives the scorer; slow. Raises EngineError where there is none.
    :param server: whose process this is, for the log.
    """

    def __init__(self, load: Callable[[], Scorer], server: str = "wake") -> None:
        self._server = server
        self._load = load
        self._worker = Worker("second look")
        self._scorer: asyncio.Task[Scorer | None] | None = None
        self._missing = ""  # why there is no scorer, once that is known

    @property
    def ready(self) -> bool:
        """Loaded, or known not to be loadable."""
        return self._scorer is not None and self._scorer.done()

    def prepare(self) -> None:
        if self._scorer is None:
            self._scorer = asyncio.create_task(self._loaded(), name="second look")

    async def look(self, audio: bytes, phrases: Sequence[str]) -> Look:
        """:raises EngineError: the model cannot be loaded, or breaks."""
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
        log.info("%s: a recogniser looks twice at wake words, loaded in %.1f s", self._server, seconds)
        return scorer


def samples(audio: bytes) -> NDArray[np.float32]:
    """16 bit mono -> full scale 1, with some silence behind."""
    return np.pad(np.frombuffer(audio, "<i2").astype(np.float32) / 32_768, (0, PAD))
