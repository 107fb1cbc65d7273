"""Sources without a device: a wav file, played once or in a loop, and silence."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from irene_wyoming import files
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.paced import PacedCapture
from irene_wyoming.capture.riff import WavInfo, read_info
from irene_wyoming.errors import CaptureError

_CHUNK_MS = 20

_Sleep = Callable[[float], Awaitable[None]]


class WavFileSource:
    """Plays a PCM wav file at the pace of the clock, in a loop without a gap, or once and then silence.

    ``realtime=False`` plays it as fast as it is read. It is read a second at a time, so its length costs no memory.
    """

    def __init__(
        self,
        path: Path,
        *,
        loop: bool = False,
        realtime: bool = True,
        chunk_ms: int = _CHUNK_MS,
        clock: Callable[[], float] = time.monotonic,
        sleep: _Sleep = asyncio.sleep,
    ) -> None:
        self._path = path
        self._loop = loop
        self._realtime = realtime
        self._chunk_ms = chunk_ms
        self._clock = clock
        self._sleep = sleep

    @property
    def name(self) -> str:
        return f"wav file {self._path}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PacedCapture]:
        info = await asyncio.to_thread(_inspect, self._path)
        player = _Player(self._path, info, self._loop)
        yield PacedCapture(
            info.format,
            player.read,
            _frames(info.format, self._chunk_ms),
            realtime=self._realtime,
            clock=self._clock,
            sleep=self._sleep,
        )


class SilenceSource:
    """A microphone that hears only silence, at the pace of the clock; ``realtime=False``: as fast as it is read."""

    def __init__(
        self,
        audio_format: AudioFormat,
        *,
        realtime: bool = True,
        chunk_ms: int = _CHUNK_MS,
        clock: Callable[[], float] = time.monotonic,
        sleep: _Sleep = asyncio.sleep,
    ) -> None:
        self._format = audio_format
        self._realtime = realtime
        self._chunk_ms = chunk_ms
        self._clock = clock
        self._sleep = sleep

    @property
    def name(self) -> str:
        return "silence"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PacedCapture]:
        frames = _frames(self._format, self._chunk_ms)
        silence = _silence(self._format, frames * self._format.frame_bytes)

        async def read(_: int) -> bytes:
            return silence

        yield PacedCapture(self._format, read, frames, realtime=self._realtime, clock=self._clock, sleep=self._sleep)


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


def _frames(audio_format: AudioFormat, ms: int) -> int:
    return max(1, audio_format.rate * ms // 1000)


def _silence(audio_format: AudioFormat, nbytes: int) -> bytes:
    return (b"\x80" if audio_format.width == 1 else b"\x00") * nbytes
