"""PCM bytes to frames of numbers and back, and from one channel count to another.

Bytes are interleaved little-endian, 8 bit unsigned, wider widths signed, or 32 bit floats, as in wav files. Frames are
arrays ``(frames, channels)``: integers as decoded, floats after anything has been computed from them, in steps of a
sample, full scale at ``full_scale(width)``; decoded floats have it at 1. Keeping the steps saves two passes over the
audio where the width stays.

No dither: the rounding noise of 16 bit lies 96 dB below full scale, under that of any microphone, and dither would
make equal inputs give unequal outputs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[Any]
Floats = NDArray[np.float32] | NDArray[np.float64]

CODED: dict[int, np.dtype[Any]] = {1: np.dtype("u1"), 2: np.dtype("<i2"), 3: np.dtype("<i4"), 4: np.dtype("<i4")}
"""The numpy type that holds samples of each width when encoding; for 24 bit its highest byte is left out."""

LIMITS = {width: (np.array(-(2.0 ** (8 * width - 1))), np.array(2.0 ** (8 * width - 1) - 1)) for width in CODED}
"""Lowest and highest value of each width, as arrays: numpy takes half as long as with plain numbers."""


def full_scale(width: int) -> int:
    """The value just beyond the loudest sample, in the scale of ``decode``. It widens 24 bit to 32."""
    return 1 << {1: 7, 2: 15, 3: 31, 4: 31}[width]


def decode(pcm: bytes, width: int, channels: int) -> Frames:
    """Decode whole frames of PCM into integers ``(frames, channels)``, read-only. Exact."""
    return decode_samples(pcm, width).reshape(-1, channels)


def decode_samples(pcm: bytes, width: int) -> Frames:
    """Decode whole frames of PCM into integers ``(samples,)``, interleaved and read-only."""
    if width == 1:
        return np.frombuffer(pcm, "u1").astype(np.int16) - 128
    if width == 3:
        widened = np.zeros((len(pcm) // 3, 4), "u1")
        widened[:, 1:] = np.frombuffer(pcm, "u1").reshape(-1, 3)
        return widened.view("<i4").reshape(-1)
    return np.frombuffer(pcm, CODED[width])


def decode_float(pcm: bytes, channels: int) -> Frames:
    """Decode 32 bit floats into float32 ``(frames, channels)``. NaN and infinity become 0: a filter spreads them."""
    samples = np.frombuffer(pcm, "<f4").reshape(-1, channels)
    finite = np.isfinite(samples)
    return samples if finite.all() else np.where(finite, samples, np.float32(0))


def encode_float(frames: Frames, scale: int) -> bytes:
    """Encode frames with full scale at ``scale`` as 32 bit floats with full scale at 1. Nothing is clipped."""
    return np.divide(frames, scale, dtype=np.float64).astype("<f4").tobytes()


def encode(frames: Frames, scale: int, width: int) -> bytes:
    """Encode frames ``(frames, channels)`` or ``(frames,)``, full scale at ``scale``, as PCM: rounded, clipped."""
    steps = 1 << (8 * width - 1)
    rounded: Frames = np.rint(frames if scale == steps else np.multiply(frames, steps / scale, dtype=np.float64))
    lowest, highest = LIMITS[width]
    np.maximum(rounded, lowest, out=rounded)
    np.minimum(rounded, highest, out=rounded)
    if width == 1:
        rounded += 128
    packed: Frames = rounded.astype(CODED[width])
    if width == 3:
        packed = packed.reshape(-1, 1).view("u1")[:, :3]
    return packed.tobytes()


def remix(frames: Frames, channels: int) -> Frames:
    """Change the channel count: every wanted channel gets the mean of all, which cannot clip."""
    have = frames.shape[1]
    if have == channels:
        return frames
    mono: Frames = frames
    if have == 2:  # five times as fast as mean() for stereo
        mono = np.add(frames[:, :1], frames[:, 1:], dtype=np.float64) * 0.5
    elif have > 2:
        mono = frames.mean(axis=1, keepdims=True, dtype=np.float64)
    return np.repeat(mono, channels, axis=1) if channels > 1 else mono
