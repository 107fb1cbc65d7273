"""From one sample rate to another, as a stream with state: the promise of every method, and three methods."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio import fir
from irene_wyoming.audio.pcm import Floats, Frames


class Resampler(Protocol):
    """Resamples one stream.

    Input frames are ``(frames, channels)``, integers or floats in any scale. Outputs are floats in the same scale. The
    output, joined, does not depend on how the input was cut.
    """

    @property
    def delay_s(self) -> float:
        """Seconds of audio that the resampler holds back at most."""

    def push(self, frames: Frames) -> Floats:
        """Take any number of frames, also none; give those that are ready, maybe none."""

    def flush(self) -> Floats:
        """End the stream and give what was held back. Call ``reset()`` before the next push."""

    def reset(self) -> None:
        """Start a new stream; nothing of the old one is heard in it."""


class FirResampler:
    """Resamples with the short filters of ``fir``, whose delay is constant and below 2 ms. For live streams."""

    def __init__(self, plan: fir.FirPlan, channels: int) -> None:
        self._streams = [fir.FirStream(plan) for _ in range(channels)]
        self.delay_s = plan.delay_s

    def push_mono(self, samples: NDArray[Any]) -> fir.Samples:
        """Resample one channel, ``(frames,)`` in and out: 2 us faster than ``push``."""
        return self._streams[0].push(samples)

    def push(self, frames: Frames) -> Floats:
        return np.stack([stream.push(frames[:, i]) for i, stream in enumerate(self._streams)], axis=1)

    def flush(self) -> Floats:
        return np.stack([stream.flush() for stream in self._streams], axis=1)

    def reset(self) -> None:
        for stream in self._streams:
            stream.reset()


class SoxrResampler:
    """Resamples with the SoX library in float32, recipe VHQ. Its integer mode dithers, so cuts would show.

    Its filter is sharper, for whole recordings. It holds back 9 to 76 ms of a live stream from 48 to 16 kHz.
    """

    delay_s = 0.12  # the most measured: 8 to 16 kHz

    def __init__(self, source_rate: int, target_rate: int, channels: int) -> None:
        import soxr  # only who resamples whole recordings or odd rates pays for it

        self._channels = channels
        self._stream = soxr.ResampleStream(source_rate, target_rate, channels, dtype="float32", quality="VHQ")

    def push(self, frames: Frames) -> Floats:
        return self._feed(frames, last=False)

    def flush(self) -> Floats:
        return self._feed(np.empty((0, self._channels)), last=True)

    def reset(self) -> None:
        self._stream.clear()

    def _feed(self, frames: Frames, *, last: bool) -> Floats:
        floats = frames.astype(np.float32) if self._channels > 1 else frames[:, 0].astype(np.float32)
        out: Floats = self._stream.resample_chunk(floats, last=last)
        return out.reshape(-1, self._channels)


class LinearResampler:
    """Draws straight lines between neighbouring samples, without an anti-alias filter. For comparison, never a default.

    Noise above the new band, as loud as speech, costs it 6 of 10 wake words that other methods hear.
    """

    def __init__(self, source_rate: int, target_rate: int, channels: int) -> None:
        self._channels = channels
        self._ratio = (source_rate, target_rate)
        self.delay_s = 1 / source_rate
        self.reset()

    def reset(self) -> None:
        self._held = np.zeros((0, self._channels))  # input from the frame before the next output on
        self._first = 0  # place of the first held frame in the stream
        self._given = 0

    def push(self, frames: Frames) -> Floats:
        self._held = np.concatenate((self._held, frames))
        source, target = self._ratio
        last = self._first + len(self._held) - 1
        return self._until(last * target // source + 1 if last >= 0 else 0)

    def flush(self) -> Floats:
        source, target = self._ratio
        total = -(-(self._first + len(self._held)) * target // source)
        self._held = np.concatenate((self._held, self._held[-1:]))
        return self._until(total)

    def _until(self, end: int) -> Floats:
        source, target = self._ratio
        whole, part = np.divmod(np.arange(self._given, end, dtype=np.int64) * source, target)
        whole -= self._first
        following = np.minimum(whole + 1, len(self._held) - 1)  # the last frame is followed by itself, with weight 0
        weight = (part / target)[:, None]
        out: Floats = self._held[whole] * (1 - weight) + self._held[following] * weight
        self._given = max(end, self._given)
        used = min(self._given * source // target - self._first, len(self._held))
        self._held = self._held[used:].copy()  # a slice would keep all of it alive
        self._first += used
        return out
