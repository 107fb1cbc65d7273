"""Mixes recordings like a home's microphone: with noise, at a level, with silence around, or cut off.

The speech-active level is the RMS of the 20 ms frames within 25 dB of the loudest one. Noise is scaled so that this
level over the RMS of the noise is the SNR. The speech has 0.3 s of zeros before it and 0.5 s after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH

Samples = NDArray[np.float64]
"""Samples at 16 kHz, mono, full scale 1."""

FRAME = SPEECH.rate // 50
ACTIVE_DB = 25.0
LEAD_S, TAIL_S = 0.3, 0.5
NOISE_S = 60.0
"""Seconds of generated noise. Each recording gets a piece of its own."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise to mix in: a name, and samples from which pieces are taken."""

    name: str
    samples: Samples

    def piece(self, size: int, seed: str) -> Samples:
        """Cut ``size`` samples from a place that depends on the seed only; short noise is repeated."""
        start = Random(seed).randrange(len(self.samples))
        return np.take(self.samples, np.arange(start, start + size), mode="wrap")


@dataclass(frozen=True, slots=True)
class Condition:
    """The noise, level and tail of a recording."""

    noise: Noise | None = None
    snr_db: float | None = None
    level_dbfs: float | None = None
    """Speech-active level, dBFS; None: as recorded."""
    tail_s: float | None = TAIL_S
    """Seconds of silence after the recording; None: the audio ends with the last word."""

    @property
    def noise_name(self) -> str:
        return self.noise.name if self.noise else "none"


def mixed(pcm: bytes, condition: Condition, seed: str) -> bytes:
    """Mix a recording under a condition.

    :param pcm: 16 kHz, 16 bit, mono; the result is, too.
    :param seed: chooses the piece of noise; the recording's name, so that its piece is always the same.
    """
    speech = floats(pcm)
    if condition.tail_s is None:
        speech = speech[: end_of_speech(speech)]
    loudness = active_level(speech)
    padded = np.pad(speech, (round(LEAD_S * SPEECH.rate), round((condition.tail_s or 0) * SPEECH.rate)))
    if condition.noise is not None and condition.snr_db is not None:
        noise = condition.noise.piece(len(padded), seed)
        padded = padded + noise * (loudness / 10 ** (condition.snr_db / 20) / rms(noise))
    if condition.level_dbfs is not None:
        padded = padded * (10 ** (condition.level_dbfs / 20) / loudness)
    return encoded(padded)


def active_level(speech: Samples) -> float:
    """RMS of the frames within 25 dB of the loudest; a tiny number for silence."""
    power = frame_power(speech)
    return float(np.sqrt(power[power >= power.max() / 10 ** (ACTIVE_DB / 10)].mean())) or 1e-9


def start_of_speech(speech: Samples) -> int:
    """The sample at which the first frame within 25 dB of the loudest begins."""
    return int(_active(speech)[0]) * FRAME


def end_of_speech(speech: Samples) -> int:
    """The sample at which the last frame within 25 dB of the loudest ends."""
    return (int(_active(speech)[-1]) + 1) * FRAME


def _active(speech: Samples) -> NDArray[np.intp]:
    """The numbers of the frames within 25 dB of the loudest."""
    power = frame_power(speech)
    return np.flatnonzero(power >= power.max() / 10 ** (ACTIVE_DB / 10))


def frame_power(speech: Samples) -> Samples:
    """Mean square of each 20 ms; an incomplete frame at the end counts as one."""
    whole = np.pad(speech, (0, -len(speech) % FRAME or (0 if len(speech) else FRAME)))
    power: Samples = np.mean(whole.reshape(-1, FRAME) ** 2, axis=1)
    return power


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2))) or 1e-9


def white() -> Samples:
    return np.random.default_rng(3).normal(size=round(NOISE_S * SPEECH.rate))


def pink() -> Samples:
    """Make noise whose power falls by 3 dB per octave from 20 Hz up."""
    spectrum = np.fft.rfft(white())
    hz = np.fft.rfftfreq(round(NOISE_S * SPEECH.rate), 1 / SPEECH.rate)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 20)))


GENERATED: Mapping[str, Callable[[], Samples]] = {"white": white, "pink": pink}


def floats(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2") / 2**15


def encoded(samples: Samples) -> bytes:
    """Encode as 16 bit; values beyond full scale are clipped, as in a microphone."""
    return bytes(np.clip(np.rint(samples * 2**15), -(2**15), 2**15 - 1).astype("<i2").tobytes())
