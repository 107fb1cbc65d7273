"""Source and Capture: the promises of a source of live audio."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.realtime import RealTime


class Capture(Protocol):
    """An open source. Iterating gives its audio as it is recorded, without gaps in ``start``.

    Chunks carry the time of capture (ms, monotonic clock), not that of delivery. The iteration ends when the source
    does.

    :raises CaptureError: from the iteration, when the source breaks.
    """

    @property
    def format(self) -> AudioFormat: ...

    def __aiter__(self) -> AsyncIterator[AudioChunk]: ...


class Source(Protocol):
    """A source of audio that can be opened."""

    @property
    def name(self) -> str:
        """The source's name in logs, as a person would call it."""

    def open(self) -> AbstractAsyncContextManager[Capture]:
        """Open the source; the end of the context closes it and ends every process and thread that it started.

        :raises CaptureError: it cannot be opened; says why and what to do.
        """


@dataclass(frozen=True, slots=True)
class Stream:
    """A Capture made of a format and an iterator of chunks. It can be iterated once."""

    format: AudioFormat
    chunks: AsyncIterator[AudioChunk]

    def __aiter__(self) -> AsyncIterator[AudioChunk]:
        return self.chunks


class WrappedSource(ABC):
    """A source that passes another one's audio through ``wrapped``."""

    def __init__(self, inner: Source) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Capture]:
        async with self._inner.open() as capture:
            yield self.wrapped(capture)

    @abstractmethod
    def wrapped(self, capture: Capture) -> Capture:
        """Wrap the open source's audio for listeners. May raise CaptureError."""


BLOCK_MS = 20
"""Milliseconds of audio handed over at a time. PortAudio's own choice may be 5, which costs a Pi too much."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted properties of a device. The defaults are the system's and the device's own choices."""

    device: str = ""
    """Index, name, or part of a name; empty: the system's default."""
    rate: int = 0
    """Sample rate, Hz; 0: the device's own."""
    channels: int = 0
    """Number of channels; 0: the device's own, two at most."""
    width: int = 2
    """Bytes per sample."""
    block_ms: int = BLOCK_MS
    realtime: RealTime = field(default_factory=lambda: RealTime(0))
    """Priority of the thread or program that records."""


ANY = Wanted()
"""The default microphone in its own format."""


@dataclass(frozen=True, slots=True)
class Device:
    """A sound input of this machine."""

    index: int
    name: str
    api: str
    """The sound system that offers it: ALSA, PulseAudio, ..."""
    format: AudioFormat
    """Its native rate and channels."""
    default: bool
    rates: tuple[int, ...] = ()
    """The usual rates, Hz, at which it can be opened; empty: not asked, or unknown."""
    widths: tuple[int, ...] = ()
    """Bytes per sample at which it can be opened; empty: not asked, or unknown."""
