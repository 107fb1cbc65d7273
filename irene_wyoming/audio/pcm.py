"""PCM bytes to float32 frames and back, and from one channel count to another.

Float frames are ``(frames, channels)`` float32 with full scale at 1.0. Bytes are interleaved little-endian, 8 bit
unsigned, wider widths signed, as in wav files. No dither: the rounding noise of 16 bit lies 96 dB below full scale,
under that of any microphone, and dither would make equal inputs give unequal outputs.
"""

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]


def decode(pcm: bytes, width: int, channels: int) -> Frames:
    """Whole frames of PCM as float32 ``(frames, channels)``.

    8, 16 and 24 bit are exact; 32 bit keeps its upper 24.
    """
    if width == 1:
        samples = (np.frombuffer(pcm, "u1").astype(np.float32) - 128.0) / np.float32(2**7)
    elif width == 2:
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(2**15)
    elif width == 3:
        widened = np.zeros((len(pcm) // 3, 4), "u1")
        widened[:, 1:] = np.frombuffer(pcm, "u1").reshape(-1, 3)
        samples = widened.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
    else:
        samples = np.frombuffer(pcm, "<i4").astype(np.float32) / np.float32(2**31)
    return samples.reshape(-1, channels)


def encode(frames: Frames, width: int) -> bytes:
    """float32 ``(frames, channels)`` as PCM: rounded to the nearest step, clipped at full scale."""
    steps = 2 ** (8 * width - 1)
    # 24 and 32 bit steps near full scale are finer than float32 can hold
    scaled = np.rint(frames.astype(np.float64 if width > 2 else np.float32) * steps)
    np.clip(scaled, -steps, steps - 1, out=scaled)
    if width == 1:
        packed = (scaled + 128).astype("u1")
    elif width == 2:
        packed = scaled.astype("<i2")
    elif width == 3:
        packed = scaled.astype("<i4").reshape(-1, 1).view("u1")[:, :3]
    else:
        packed = scaled.astype("<i4")
    return bytes(packed.tobytes())


def remix(frames: Frames, channels: int) -> Frames:
    """Change the channel count: the mean of all channels, which cannot clip, given to every wanted channel."""
    if frames.shape[1] == channels:
        return frames
    mono = frames.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.repeat(mono, channels, axis=1) if channels > 1 else mono
