"""Lull: finds the pause at which a stream can end without cutting a word in two."""

import asyncio

import numpy as np

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.wake.gate import BLOCK, BLOCK_BYTES, Steady, band_levels

QUIET_S = 0.6
"""Seconds of unchanged sound that make a pause. Within a word or a phrase sound changes sooner."""

NOTHING_S = 1.5
"""Seconds without audio that count as a pause. Poor Wi-Fi delays audio by less."""

QUIET_BLOCKS = round(QUIET_S * SPEECH.rate / BLOCK)


class Lull:
    """Finds pauses in one stream. In formats other than SPEECH only missing audio counts."""

    def __init__(self, form: AudioFormat) -> None:
        """:param form: format of the audio."""
        self._knows = form == SPEECH
        self._steady = Steady()
        self._waiting = bytearray()
        self._come = asyncio.Event()  # set by new audio, cleared at each look
        self._nothing = False  # nothing has come for NOTHING_S

    @property
    def lasts(self) -> bool:
        """Whether there is a pause at the end of the audio so far."""
        return self._nothing or self._steady.blocks >= QUIET_BLOCKS

    def heard(self, pcm: bytes) -> None:
        """Take the next piece of audio."""
        self._come.set()
        self._nothing = False
        if not self._knows:
            return
        self._waiting += pcm
        whole = len(self._waiting) // BLOCK_BYTES * BLOCK_BYTES
        blocks = np.frombuffer(bytes(self._waiting[:whole]), "<i2").reshape(-1, BLOCK)
        del self._waiting[:whole]
        for levels in band_levels(blocks).tolist():
            self._steady.add(levels)

    async def wait(self) -> None:
        """Return in a pause of the sound or of the client."""
        while not self.lasts:
            self._come.clear()
            try:
                async with asyncio.timeout(NOTHING_S):
                    await self._come.wait()
            except TimeoutError:
                self._nothing = True
