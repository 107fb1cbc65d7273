"""What PCM audio looks like: AudioFormat, and the quality levels of a conversion."""

from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import entry_points
from reprlib import repr as short

from irene_wyoming.errors import UnsupportedFormat

MIN_RATE = 8_000
"""Lowest sample rate, Hz. Below it speech is not understood, and 1 Hz would be blown up 16,000-fold."""

MAX_RATE = 192_000
"""Highest sample rate, Hz, that sound cards offer."""

WIDTHS = (1, 2, 3, 4)
"""Bytes per sample: unsigned 8 bit, then signed little-endian 16, 24 and 32 bit, as in wav files."""

FLOAT_WIDTH = 4
"""Bytes per floating point sample: single precision."""

MAX_CHANNELS = 8
"""Most channels of a format: the widest microphone arrays in use have eight."""


class Quality(StrEnum):
    """How much care a conversion takes, traded against the audio that it holds back."""

    FAST = "fast"
    MEDIUM = "medium"
    HIGH = "high"
    ADAPTIVE = "adaptive"


LINEAR = "linear"
"""Name of the method that draws straight lines between samples, without a filter. For comparisons only."""

SOXR = "soxr"
"""Name of the method that uses the soxr library's long filter, also for live streams."""

MEAN, FIRST, LOUDEST = "mean", "first", "loudest"

Mix = str | int
"""How several channels become one: MEAN, FIRST, LOUDEST, or the index of a channel, from 0."""

METHOD_ENTRY_POINT = "irene_wyoming.resampler"


def method_names() -> list[str]:
    """Names of all ways to resample: quality levels, explicit methods, and those registered by other packages."""
    return [*Quality, LINEAR, SOXR, *sorted(point.name for point in entry_points(group=METHOD_ENTRY_POINT))]


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """The layout of interleaved PCM. It checks itself, so an invalid one cannot exist.

    :raises UnsupportedFormat: the message names the field, its value and what is accepted.
    """

    rate: int
    """Frames per second, Hz."""
    width: int
    """Bytes per sample."""
    channels: int
    floating: bool = False
    """Samples are 32 bit IEEE floats, full scale at 1. In wav files and arrays; Wyoming's events have integers only."""

    def __post_init__(self) -> None:
        if type(self.rate) is not int or not MIN_RATE <= self.rate <= MAX_RATE:
            raise UnsupportedFormat(f"rate {short(self.rate)}: expected {MIN_RATE} to {MAX_RATE} Hz")
        if type(self.width) is not int or self.width not in WIDTHS:
            raise UnsupportedFormat(f"width {short(self.width)}: expected 1, 2, 3 or 4 bytes per sample")
        if type(self.channels) is not int or not 1 <= self.channels <= MAX_CHANNELS:
            raise UnsupportedFormat(f"channels {short(self.channels)}: expected 1 to {MAX_CHANNELS}")
        if self.floating and self.width != FLOAT_WIDTH:
            raise UnsupportedFormat(f"width {self.width}: expected {FLOAT_WIDTH} bytes per floating point sample")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame: one sample of every channel."""
        return self.width * self.channels

    def frames(self, nbytes: int) -> int:
        """Whole frames in ``nbytes`` bytes."""
        return nbytes // self.frame_bytes

    def seconds(self, nbytes: int) -> float:
        """Duration of ``nbytes`` bytes."""
        return nbytes / self.frame_bytes / self.rate

    def __str__(self) -> str:
        layout = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        kind = " float" if self.floating else ""
        return f"{self.rate} Hz {self.width * 8} bit{kind} {layout}"


SPEECH = AudioFormat(rate=16_000, width=2, channels=1)
"""The format that every embedded engine hears: 16 kHz, 16 bit, mono."""
