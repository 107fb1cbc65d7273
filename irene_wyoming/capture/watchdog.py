"""WatchedSource: notices an open device that delivers nothing, or only digital silence."""

import asyncio
import logging
from collections.abc import AsyncIterator

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.capture.base import Capture, Source, Stream, WrappedSource
from irene_wyoming.errors import CaptureError

log = logging.getLogger(__name__)

FIRST_AUDIO_S = 5.0
"""Seconds to wait for the first chunk: a Bluetooth headset takes some to switch its microphone on."""

MUTED_S = 30.0
"""Seconds of digital silence before the warning. Live microphones have noise; muted ones often give zeros."""


class WatchedSource(WrappedSource):
    """A source that fails when it has delivered nothing for ``stall_s`` seconds, so that its feed reopens it.

    Digital silence may be meant, so it is only logged as a warning, once.
    """

    def __init__(
        self, inner: Source, *, stall_s: float, first_audio_s: float = FIRST_AUDIO_S, muted_s: float = MUTED_S
    ) -> None:
        """:param muted_s: seconds of digital silence before the warning."""
        super().__init__(inner)
        self._stall_s = stall_s
        self._first_audio_s = max(first_audio_s, stall_s)
        self._muted_s = muted_s

    def wrapped(self, capture: Capture) -> Capture:
        """Pass audio on; raises CaptureError from the iteration when none came in time."""
        return Stream(capture.format, self._watched(capture))

    async def _watched(self, capture: Capture) -> AsyncIterator[AudioChunk]:
        chunks, patience_s, mute = aiter(capture), self._first_audio_s, MuteDetector(self.name, self._muted_s)
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise CaptureError(f"is open, but has delivered nothing for {patience_s:g} s") from None
            patience_s = self._stall_s
            mute.heard(chunk)
            yield chunk


class MuteDetector:
    """Logs a warning after a while of digital silence, and logs its end."""

    def __init__(self, name: str, muted_s: float) -> None:
        self._name = name
        self._muted_s = muted_s
        self._silent_s = 0.0
        self._warned = False

    def heard(self, chunk: AudioChunk) -> None:
        silence = b"\x80" if chunk.format.width == 1 else b"\x00"
        if chunk.pcm.strip(silence):
            if self._warned:
                log.info("%s: there is sound again", self._name)
            self._silent_s, self._warned = 0.0, False
            return
        self._silent_s += chunk.format.seconds(len(chunk.pcm))
        if self._silent_s >= self._muted_s and not self._warned:
            self._warned = True
            log.warning(
                "%s: nothing but digital silence for %g s: is it muted, or its privacy switch on?",
                self._name,
                self._muted_s,
            )
