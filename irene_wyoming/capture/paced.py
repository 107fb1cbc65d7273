"""PacedCapture: audio that is there already, given out as a microphone would."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Self

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat

Read = Callable[[int], Awaitable[bytes]]
"""Gives exactly so many bytes of PCM."""


class PacedCapture:
    """Gives out what ``read`` has, in chunks of ``chunk_frames``, each when its last frame would have been captured.

    Every chunk is due by the time since the start, not since the one before, so that late wake-ups never add up.
    ``realtime=False`` waits for nothing (but lets others run): an hour in seconds, stamped as if it had been played.
    """

    def __init__(
        self,
        audio_format: AudioFormat,
        read: Read,
        chunk_frames: int,
        *,
        realtime: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._format = audio_format
        self._read = read
        self._chunk_frames = chunk_frames
        self._realtime = realtime
        self._clock = clock
        self._sleep = sleep
        self._origin = clock()
        self._start = 0  # of the next chunk, frames

    @property
    def format(self) -> AudioFormat:
        return self._format

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AudioChunk:
        pcm = await self._read(self._chunk_frames * self._format.frame_bytes)
        start = self._start
        self._start += self._chunk_frames
        due = self._origin + self._start / self._format.rate
        await self._sleep(max(0.0, due - self._clock()) if self._realtime else 0)
        return AudioChunk(self._format, pcm, start, int(self._origin * 1000) + start * 1000 // self._format.rate)
