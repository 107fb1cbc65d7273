"""Lull: finds the pause at which a stream can end without cutting a word in two."""

import asyncio

import numpy as np

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.wake.gate import BLOCK, BLOCK_BYTES, Steady, band_levels

QUIET_S = 0.6
"""A pause is sound that stays the same for so long. Within a word or between two of one phrase it changes sooner."""

NOTHING_S = 1.5
"""A client that has sent nothing for so long pauses, too. Over a poor Wi-Fi link audio comes late by less."""

QUIET_BLOCKS = round(QUIET_S * SPEECH.rate / BLOCK)


class Lull:
    """Listens to one stream until there is a pause in it. Of other formats than SPEECH only an end of audio is one."""

    def __init__(self, form: AudioFormat) -> None:
        """:param form: of what is heard."""
        self._knows = form == SPEECH
        self._steady = Steady()
        self._waiting = bytearray()
        self._come = asyncio.Event()  # audio, since the last look
        self._reached = False

    def heard(self, pcm: bytes) -> None:
        """The next piece of audio."""
        self._come.set()
        if not self._knows or self._reached:
            return
        self._waiting += pcm
        whole = len(self._waiting) // BLOCK_BYTES * BLOCK_BYTES
        blocks = np.frombuffer(bytes(self._waiting[:whole]), "<i2").reshape(-1, BLOCK)
        del self._waiting[:whole]
        for levels in band_levels(blocks).tolist():
            self._steady.add(levels)
            self._reached = self._reached or self._steady.blocks >= QUIET_BLOCKS

    async def wait(self) -> None:
        """Return in the first pause of the sound, or of the client."""
        while not self._reached:
            self._come.clear()
            try:
                async with asyncio.timeout(NOTHING_S):
                    await self._come.wait()
            except TimeoutError:
                return
