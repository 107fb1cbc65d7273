"""PacedCapture: gives out existing audio at the pace of a microphone."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Self

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat

Read = Callable[[int], Awaitable[bytes]]
"""Reads exactly this many bytes of PCM."""


class PacedCapture:
    """Gives out audio from ``read`` in chunks of ``chunk_frames``, each when its last frame would be captured.

    Times count from the start, so that late wake-ups never add up. ``realtime=False`` never waits but lets other tasks
    run. An hour takes seconds and has the timestamps of an hour.
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
        self._start = 0  # first frame of the next chunk

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
