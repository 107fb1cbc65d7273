"""ConversionMethod: the ways to change a sample rate, as scripts name them, and the choice among them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from irene_wyoming.audio import fir
from irene_wyoming.audio.format import LINEAR, Quality


class ConversionMethod(StrEnum):
    """How to change the sample rate of a recording. The matching quality level is in brackets."""

    LINEAR = "linear"
    """The shortest filter (fast): within 1 dB to 7 kHz, nothing folds in from 9.6 kHz on."""
    POLYPHASE = "polyphase"
    """A filter of twice the length (medium): flat to 7 kHz, nothing from 9 kHz on."""
    SINC_KAISER = "sinc_kaiser"
    """The long filter for whole recordings (high)."""
    ADAPTIVE = "adaptive"
    """The best that the case allows (adaptive): for a whole recording, where nobody waits, the long filter."""
    LINEAR_INTERPOLATION = "linear_interpolation"
    """Straight lines between samples. Without a filter: noise above the new band folds into speech. To compare with."""

    @property
    def quality(self) -> str:
        """The audio core's name of this method."""
        return _QUALITIES[self]

    @property
    def live(self) -> bool:
        """Whether the method uses the short filters of live streams. False: the filter for whole recordings."""
        return self in (ConversionMethod.LINEAR, ConversionMethod.POLYPHASE)


_QUALITIES = {
    ConversionMethod.LINEAR: Quality.FAST.value,
    ConversionMethod.POLYPHASE: Quality.MEDIUM.value,
    ConversionMethod.SINC_KAISER: Quality.HIGH.value,
    ConversionMethod.ADAPTIVE: Quality.ADAPTIVE.value,
    ConversionMethod.LINEAR_INTERPOLATION: LINEAR,
}

UseCase = Literal["general", "voice_trigger", "asr"]


@dataclass(frozen=True, slots=True)
class ConversionPath:
    """The chosen conversion method and the reason for it."""

    method: ConversionMethod | None
    """The chosen method; None: there is nothing to convert."""
    why: str


def optimal_path(source_rate: int, target_rate: int, use_case: UseCase) -> ConversionPath:
    """Choose the method for a use case, from one sample rate (Hz) to another."""
    if source_rate == target_rate:
        return ConversionPath(None, f"{source_rate} Hz already")
    ratio = f"{source_rate} to {target_rate} Hz"
    if use_case == "asr":
        return ConversionPath(
            ConversionMethod.SINC_KAISER, f"{ratio}: nobody waits within an utterance: longest filter"
        )
    method = ConversionMethod.LINEAR if use_case == "voice_trigger" else ConversionMethod.POLYPHASE
    if target_rate > source_rate:  # the shortest filter would leave mirror images of speech close above the old band
        method = ConversionMethod.POLYPHASE
    level = Quality(method.quality)
    if not fir.fits(source_rate, target_rate, level):
        return ConversionPath(ConversionMethod.SINC_KAISER, f"{ratio}: no short filter fits this ratio")
    held_ms = 1000 * fir.half_length(source_rate, target_rate, fir.LEVELS[level]) / source_rate
    return ConversionPath(method, f"{ratio}: a live stream is held back by {held_ms:.2f} ms")
