"""Sources without a device: a wav file, played once or in a loop, and silence."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from irene_wyoming import files
from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.base import Stream
from irene_wyoming.capture.riff import WavInfo, read_info
from irene_wyoming.errors import CaptureError

log = logging.getLogger(__name__)

_CHUNK_MS = 20


class Paced:
    """Existing audio, given out at the pace of a microphone.

    Times count from the start, so that late wake-ups never add up.

    :param realtime: False never waits but lets other tasks run: an hour takes seconds, with the timestamps of an hour.
    """

    def __init__(
        self,
        *,
        realtime: bool = True,
        chunk_ms: int = _CHUNK_MS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._realtime = realtime
        self._chunk_ms = chunk_ms
        self._clock = clock
        self._sleep = sleep

    def stream(self, form: AudioFormat, read: Callable[[int], Awaitable[bytes]]) -> Stream:
        """:param read: reads exactly this many bytes of PCM."""
        return Stream(form, self._chunks(form, read, self._clock()))

    async def _chunks(
        self, form: AudioFormat, read: Callable[[int], Awaitable[bytes]], origin: float
    ) -> AsyncIterator[AudioChunk]:
        frames = max(1, form.rate * self._chunk_ms // 1000)
        for start in count(0, frames):
            pcm = await read(frames * form.frame_bytes)
            due = origin + (start + frames) / form.rate
            await self._sleep(max(0.0, due - self._clock()) if self._realtime else 0)
            yield AudioChunk(form, pcm, start, int(origin * 1000) + start * 1000 // form.rate)


class WavFileSource(Paced):
    """Plays a PCM wav file at the pace of the clock, in a loop without a gap, or once and then silence.

    The file is read a second at a time, so its length costs no memory.
    """

    def __init__(self, path: Path, *, loop: bool = False, **pace: Any) -> None:
        """:param pace: parameters of Paced."""
        super().__init__(**pace)
        self._path = path
        self._loop = loop

    @property
    def name(self) -> str:
        return f"wav file {self._path}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stream]:
        info = await asyncio.to_thread(_inspect, self._path)
        if info.doubt:
            log.warning("%s: %s: played as far as it goes", self._path, info.doubt)
        yield self.stream(info.format, _Player(self._path, info, self._loop).read)


class SilenceSource(Paced):
    """A microphone that hears only silence, at the pace of the clock."""

    name = "silence"

    def __init__(self, audio_format: AudioFormat, **pace: Any) -> None:
        """:param pace: parameters of Paced."""
        super().__init__(**pace)
        self._format = audio_format

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stream]:
        async def read(nbytes: int) -> bytes:
            return _silence(self._format, nbytes)

        yield self.stream(self._format, read)


class _Player:
    """Reads a wav file's PCM piece by piece, without end."""

    def __init__(self, path: Path, info: WavInfo, loop: bool) -> None:
        self._path = path
        self._info = info
        self._loop = loop
        self._position = 0  # offset of the next piece in the PCM, bytes
        self._ready = bytearray()

    async def read(self, nbytes: int) -> bytes:
        while len(self._ready) < nbytes:
            self._ready += await asyncio.to_thread(self._load)
        pcm = bytes(self._ready[:nbytes])
        del self._ready[:nbytes]
        return pcm

    def _load(self) -> bytes:
        """Read the next second of audio. Blocks."""
        second = self._info.format.rate * self._info.format.frame_bytes
        pcm = bytearray()
        try:
            # opened each time, so nothing is left to close when the listener has gone
            with files.opened(self._path) as file:
                while len(pcm) < second and (self._loop or self._position < self._info.nbytes):
                    pcm += self._piece(file, second - len(pcm))
        except OSError as error:
            raise CaptureError(f"{self._path}: {error.strerror}") from error
        return bytes(pcm) + _silence(self._info.format, second - len(pcm))

    def _piece(self, file: BinaryIO, room: int) -> bytes:
        """Read up to ``room`` bytes, at most to the end of the recording. Blocks."""
        if self._position == self._info.nbytes:
            self._position = 0
        nbytes = min(room, self._info.nbytes - self._position)
        file.seek(self._info.offset + self._position)
        pcm = file.read(nbytes)
        if len(pcm) < nbytes:
            raise CaptureError(f"{self._path}: has become shorter while it was played")
        self._position += nbytes
        return pcm


def _inspect(path: Path) -> WavInfo:
    try:
        with files.opened(path) as file:
            return read_info(file)
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from error
    except CaptureError as error:
        raise CaptureError(f"{path}: {error}") from error


def _silence(audio_format: AudioFormat, nbytes: int) -> bytes:
    return (b"\x80" if audio_format.width == 1 else b"\x00") * nbytes
