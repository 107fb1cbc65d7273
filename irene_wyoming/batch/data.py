"""AudioData: a piece of recorded audio with what is known about it, as scripts hand it around."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.errors import UnsupportedFormat

CODINGS: Mapping[str, tuple[int, bool]] = MappingProxyType(
    {"pcm8": (1, False), "pcm16": (2, False), "pcm24": (3, False), "pcm32": (4, False), "float32": (4, True)}
)
"""Bytes per sample of each ``format``, and whether they are floats (full scale at 1); 8 bit unsigned, the other
integers signed little-endian, as in wav files."""


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
    """One of CODINGS."""
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def audio_format(self) -> AudioFormat:
        """The same as one value.

        :raises UnsupportedFormat: naming the field, its value and what is accepted.
        """
        width, floating = coding(self.format)
        return AudioFormat(self.sample_rate, width, self.channels, floating)

    @property
    def duration_s(self) -> float:
        return self.audio_format.seconds(len(self.data))


def coding(name: str) -> tuple[int, bool]:
    """Bytes per sample of a format, and whether they are floats.

    :raises UnsupportedFormat: it is none of CODINGS.
    """
    if name not in CODINGS:
        raise UnsupportedFormat(f"format {name!r}: expected {', '.join(CODINGS)}")
    return CODINGS[name]


def coding_name(audio_format: AudioFormat) -> str:
    """The name of a format's coding."""
    return next(name for name, known in CODINGS.items() if known == (audio_format.width, audio_format.floating))


def converted(audio: AudioData, data: bytes, target: AudioFormat, **facts: Any) -> AudioData:
    """The same piece after a conversion to ``target``; ``facts`` about it join its metadata."""
    name = coding_name(target)
    return AudioData(data, audio.timestamp, target.rate, target.channels, name, audio.metadata | facts)
