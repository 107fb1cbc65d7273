"""What a source of live audio promises."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat


class Capture(Protocol):
    """An open source. Iterating gives its audio at the pace at which it is made, without gaps in ``start``.

    Chunks carry the time of capture (ms, monotonic clock), not that of delivery. The iteration ends when
    the source does.

    :raises CaptureError: from the iteration, when the source breaks.
    """

    @property
    def format(self) -> AudioFormat: ...

    def __aiter__(self) -> AsyncIterator[AudioChunk]: ...


class Source(Protocol):
    """Something that can be captured, not yet open."""

    @property
    def name(self) -> str:
        """For logs: what a person would call it."""

    def open(self) -> AbstractAsyncContextManager[Capture]:
        """Open it; leaving the context closes it and ends every process and thread that it started.

        :raises CaptureError: it cannot be opened; says why and what to do.
        """


@dataclass(frozen=True, slots=True)
class Device:
    """A sound input that this machine has."""

    index: int
    name: str
    api: str
    """The sound system that offers it: ALSA, PulseAudio, ..."""
    format: AudioFormat
    """Its native rate and channels."""
    default: bool
    rates: tuple[int, ...] = ()
    """Hz: those of the usual ones that it can be opened at; empty: not asked, or it does not tell."""
    widths: tuple[int, ...] = ()
    """Bytes per sample, likewise."""
