"""From one sample rate to another, as a stream with state: what a method promises, and the methods that there are."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio import fir
from irene_wyoming.audio.pcm import Floats, Frames


class Resampler(Protocol):
    """A stream in one rate in, the same stream in another rate out.

    Frames are ``(frames, channels)``, integers or floats in any scale in, floats in the same scale out. What comes
    out, joined, does not depend on how the input was cut.
    """

    @property
    def delay_s(self) -> float:
        """What it holds back at most, seconds."""

    def push(self, frames: Frames) -> Floats:
        """Take any number of frames, also none; give those that are ready, maybe none."""

    def flush(self) -> Floats:
        """End the stream and give what was held back. Next: ``reset()``."""

    def reset(self) -> None:
        """Start a new stream; nothing of the old one is heard in it."""


class FirResampler:
    """The short filters of ``fir``: a constant delay below 2 ms. For live streams."""

    def __init__(self, plan: fir.FirPlan, channels: int) -> None:
        self._streams = [fir.FirStream(plan) for _ in range(channels)]
        self.delay_s = plan.delay_s

    def push_mono(self, samples: NDArray[Any]) -> fir.Samples:
        """As ``push`` where there is one channel, ``(frames,)`` in and out: 2 us less."""
        return self._streams[0].push(samples)

    def push(self, frames: Frames) -> Floats:
        return np.stack([stream.push(frames[:, i]) for i, stream in enumerate(self._streams)], axis=1)

    def flush(self) -> Floats:
        return np.stack([stream.flush() for stream in self._streams], axis=1)

    def reset(self) -> None:
        for stream in self._streams:
            stream.reset()


class SoxrResampler:
    """The SoX resampler library, float32 (its integer mode dithers, so that cuts would differ), VHQ recipe.

    The sharper filter, for whole recordings: of a live 48 kHz stream it holds back 9 to 76 ms on the way to 16 kHz.
    """

    delay_s = 0.12  # measured at most, for 8 to 16 kHz

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
    """Straight lines between neighbouring samples. No anti-alias filter: with noise above the new band at the level of
    speech it loses 6 of 10 wake words that every other method hears. For comparison, never a default.
    """

    def __init__(self, source_rate: int, target_rate: int, channels: int) -> None:
        self._channels = channels
        self._ratio = (source_rate, target_rate)
        self.delay_s = 1 / source_rate
        self.reset()

    def reset(self) -> None:
        self._held = np.zeros((0, self._channels))  # input from the one before the next output on
        self._first = 0  # its place in the stream
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
        following = np.minimum(whole + 1, len(self._held) - 1)  # beyond the last one its weight is 0
        weight = (part / target)[:, None]
        out: Floats = self._held[whole] * (1 - weight) + self._held[following] * weight
        self._given = max(end, self._given)
        used = min(self._given * source // target - self._first, len(self._held))
        self._held = self._held[used:].copy()  # a slice would keep all of it alive
        self._first += used
        return out
