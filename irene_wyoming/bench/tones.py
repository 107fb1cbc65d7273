"""Makes tones and analyses them after a conversion."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.audio.pcm import decode, encode, full_scale
from irene_wyoming.bench.methods import Method

CHUNK_S = 0.02
EDGE_S = 0.04
"""Seconds left out at both ends, where the sound begins and ends, which every filter changes."""

SOUND_S = 0.16


def tone(hz: float, rate: int, level: float) -> NDArray[np.float64]:
    """A sine of ``level`` of full scale with soft ends, SOUND_S long."""
    time = np.arange(round(SOUND_S * rate)) / rate
    ramp = np.clip(np.minimum(time, SOUND_S - time) / (EDGE_S / 2), 0, 1)
    soft: NDArray[np.float64] = level * np.sin(2 * np.pi * hz * time) * np.sin(np.pi / 2 * ramp) ** 2
    return soft


def through(method: Method, samples: NDArray[Any], rates: tuple[int, int], width: int) -> NDArray[np.float64]:
    """Convert samples of full scale 1 in chunks of 20 ms; both ends are left out."""
    source, target = (AudioFormat(rate, width, 1) for rate in rates)
    stream = method.open(source, target)
    pcm = encode(samples.reshape(-1, 1), 1, width)
    size = round(CHUNK_S * source.rate) * width
    out = b"".join([*(stream.push(pcm[at : at + size]) for at in range(0, len(pcm), size)), stream.flush()])
    edge = round(EDGE_S * target.rate)
    middle: NDArray[np.float64] = decode(out, width, 1)[edge : round((SOUND_S - EDGE_S) * target.rate), 0] / float(
        full_scale(width)
    )
    return middle


@dataclass(frozen=True, slots=True)
class Fit:
    """A sine that was found in a sound."""

    level: float
    """Level as a share of full scale."""
    late_s: float
    """Delay in seconds against a sine that begins at 0, up to whole periods."""
    rest: float
    """Root mean square of everything else."""


def fit(middle: NDArray[np.float64], hz: float, rate: int) -> Fit:
    """Find the sine of this frequency in the output of ``through``."""
    phase = 2 * np.pi * hz * (np.arange(len(middle)) / rate + EDGE_S)
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    (in_phase, ahead), *_ = np.linalg.lstsq(basis, middle, rcond=None)
    late = -np.arctan2(ahead, in_phase) / (2 * np.pi * hz)
    return Fit(float(np.hypot(in_phase, ahead)), float(late), rms(middle - basis @ (in_phase, ahead)))


def rms(samples: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def db(ratio: float) -> float:
    """A ratio in decibels; anything below 1e-10 counts as that (-200 dB)."""
    return float(20 * np.log10(max(ratio, 1e-10)))
