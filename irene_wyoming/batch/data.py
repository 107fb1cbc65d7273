"""AudioData: a piece of recorded audio with its format, time and metadata, for use in scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.errors import UnsupportedFormat

CODINGS: Mapping[str, tuple[int, bool]] = MappingProxyType(
    {"pcm8": (1, False), "pcm16": (2, False), "pcm24": (3, False), "pcm32": (4, False), "float32": (4, True)}
)
"""Bytes per sample of each ``format``, and whether samples are floats (full scale at 1). As in wav files, 8 bit is
unsigned, wider integers are signed little-endian.
"""


@dataclass(frozen=True, slots=True)
class AudioData:
    """A piece of interleaved PCM with its format and metadata."""

    data: bytes
    timestamp: float
    """Time of the first frame in seconds, on the clock of whoever recorded it."""
    sample_rate: int
    """Frames per second, Hz."""
    channels: int
    format: str = "pcm16"
    """Name of the sample format: one of CODINGS."""
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def audio_format(self) -> AudioFormat:
        """The audio's format as an ``AudioFormat``.

        :raises UnsupportedFormat: the message names the field, its value and what is accepted.
        """
        width, floating = coding(self.format)
        return AudioFormat(self.sample_rate, width, self.channels, floating)

    @property
    def duration_s(self) -> float:
        return self.audio_format.seconds(len(self.data))


def coding(name: str) -> tuple[int, bool]:
    """Bytes per sample of a named format, and whether samples are floats.

    :raises UnsupportedFormat: it is none of CODINGS.
    """
    if name not in CODINGS:
        raise UnsupportedFormat(f"format {name!r}: expected {', '.join(CODINGS)}")
    return CODINGS[name]


def coding_name(audio_format: AudioFormat) -> str:
    """The name in CODINGS of an audio format's samples."""
    return next(name for name, known in CODINGS.items() if known == (audio_format.width, audio_format.floating))


def converted(audio: AudioData, data: bytes, target: AudioFormat, **facts: Any) -> AudioData:
    """Give this audio after a conversion to ``target``; ``facts`` are added to its metadata."""
    name = coding_name(target)
    return AudioData(data, audio.timestamp, target.rate, target.channels, name, audio.metadata | facts)
