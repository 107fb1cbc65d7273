"""AudioData: a piece of recorded audio with what is known about it, as scripts hand it around."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.errors import UnsupportedFormat

WIDTHS: Mapping[str, int] = MappingProxyType({"pcm8": 1, "pcm16": 2, "pcm24": 3, "pcm32": 4})
"""Bytes per sample of each ``format``; 8 bit unsigned, the others signed little-endian, as in wav files."""


@dataclass(frozen=True, slots=True)
class AudioData:
    """Interleaved PCM."""

    data: bytes
    timestamp: float
    """Time of the first frame, seconds, on the clock of whoever made it."""
    sample_rate: int
    """Hz"""
    channels: int
    format: str = "pcm16"
    """One of WIDTHS."""
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def audio_format(self) -> AudioFormat:
        """The same as one value.

        :raises UnsupportedFormat: naming the field, its value and what is accepted.
        """
        return AudioFormat(self.sample_rate, width_of(self.format), self.channels)

    @property
    def duration_s(self) -> float:
        return self.audio_format.seconds(len(self.data))


def width_of(name: str) -> int:
    """Bytes per sample of a format.

    :raises UnsupportedFormat: it is none of WIDTHS.
    """
    if name not in WIDTHS:
        raise UnsupportedFormat(f"format {name!r}: expected {', '.join(WIDTHS)}")
    return WIDTHS[name]


def converted(audio: AudioData, data: bytes, target: AudioFormat, **facts: Any) -> AudioData:
    """The same piece after a conversion to ``target``; ``facts`` about it join its metadata."""
    name = next(name for name, width in WIDTHS.items() if width == target.width)
    return AudioData(data, audio.timestamp, target.rate, target.channels, name, audio.metadata | facts)
