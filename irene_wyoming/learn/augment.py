"""Augmentation: varies one recording by voice, room, noise and level. Pure."""

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.float32]
"""Audio samples ``(frames,)``, 16 kHz, full scale 1."""

SPEEDS = (0.85, 1.18)
"""Factors by which a recording is played slower or faster, like the voice of a larger or smaller person."""

REVERBERATION_S = (0.15, 0.7)
"""Seconds in which a room's echo falls by 60 dB: from a bedroom with carpets to a bare kitchen."""

DIRECT_DB = (0.0, 12.0)
"""Decibels by which the voice is louder than its echoes: from across the room to close by."""

SNR_DB = (3.0, 25.0)

LEVEL_DB = (-20.0, 6.0)


def varied(samples: Samples, random: np.random.Generator) -> Samples:
    """Vary one recording as if another person said it elsewhere. Only the change of speed changes its length."""
    speed = random.uniform(*SPEEDS) if random.random() < 0.75 else 1.0
    sound = soxr.resample(samples, RATE * speed, RATE).astype(np.float32) if speed != 1.0 else samples
    if random.random() < 0.6:
        sound = in_room(sound, random)
    sound = sound * np.float32(0.3 / max(float(np.abs(sound).max()), 1e-4))
    if random.random() < 0.7:
        sound = sound + noise(len(sound), random) * amplitude(sound, random.uniform(*SNR_DB))
    return np.clip(sound * np.float32(10 ** (random.uniform(*LEVEL_DB) / 20)), -1, 1).astype(np.float32)


def in_room(samples: Samples, random: np.random.Generator) -> Samples:
    """Add the echoes of a simulated room: noise that decays exponentially, behind the voice.

    Source: J. Moorer, 1979, "About this reverberation business".
    """
    decay_s = random.uniform(*REVERBERATION_S)
    length = round(decay_s * RATE)
    response = random.normal(size=length) * np.exp(-6.9 * np.arange(length) / length)
    response[: RATE // 500] = 0  # no echo for 2 ms: the first wall is some feet away
    response *= 10 ** (-random.uniform(*DIRECT_DB) / 20) / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    size = 1 << (len(samples) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)
    heard: Samples = wet[: len(samples)].astype(np.float32)
    return heard


def noise(length: int, random: np.random.Generator) -> Samples:
    """Make noise of power 1: a fan, a street, or a kitchen whose clatter comes and goes."""
    spectrum = np.fft.rfft(random.normal(size=length))
    slope = random.uniform(0.0, 1.2)
    spectrum *= np.maximum(np.arange(len(spectrum)), 20.0) ** -slope
    sound = np.fft.irfft(spectrum, length)
    if random.random() < 0.5:
        steps = random.uniform(-12, 6, size=length // 1_600 + 2)
        sound *= 10 ** (np.interp(np.arange(length), np.arange(len(steps)) * 1_600, steps) / 20)
    even: Samples = (sound / np.sqrt(np.mean(sound**2))).astype(np.float32)
    return even


def amplitude(speech: Samples, snr_db: float) -> np.float32:
    """The amplitude for noise that lies ``snr_db`` below the loud frames of the speech."""
    frames = speech[: len(speech) // 320 * 320].reshape(-1, 320)
    power = np.mean(frames**2, axis=1)
    loud = power[power >= power.max() / 316]  # frames within 25 dB of the loudest
    return np.float32(np.sqrt(loud.mean() / 10 ** (snr_db / 10)))
