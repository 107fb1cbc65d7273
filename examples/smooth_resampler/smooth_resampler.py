"""A method of resampling: a cubic curve through four neighbouring samples (Catmull and Rom, 1974).

After installing this package, ``resample_quality: smooth`` selects it. It has no filter against aliases: it is an
example, not a recommendation.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class SmoothResampler:
    """A Resampler of irene_wyoming. What comes out does not depend on how the input was cut."""

    def __init__(self, source_rate: int, target_rate: int, channels: int, live: bool) -> None:
        """:param live: somebody waits for each chunk; this method holds back two samples in any case."""
        del live
        self._ratio = source_rate, target_rate
        self._channels = channels
        self.delay_s = 2 / source_rate
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._held: Floats = np.zeros((0, self._channels))  # from the sample before the next output on
        self._first = -1  # its place in the stream: the first sample is doubled, so that each has a neighbour
        self._given = 0

    def push(self, frames: NDArray[np.generic]) -> Floats:
        """Take frames ``(frames, channels)``; give those that are ready."""
        fresh = frames.astype(np.float64)
        if self._first < 0 and not len(self._held):
            fresh = np.concatenate((fresh[:1], fresh))
        self._held = np.concatenate((self._held, fresh))
        source, target = self._ratio
        last = self._first + len(self._held) - 3  # the last sample with two behind it
        return self._until(last * target // source + 1 if last >= 0 else 0)

    def flush(self) -> Floats:
        """End the stream; give what was held back."""
        source, target = self._ratio
        total = -(-max(self._first + len(self._held), 0) * target // source)
        self._held = np.concatenate((self._held, self._held[-1:], self._held[-1:], self._held[-1:]))
        return self._until(total)

    def _until(self, end: int) -> Floats:
        source, target = self._ratio
        at, part = np.divmod(np.arange(self._given, end, dtype=np.int64) * source, target)
        at -= self._first
        t = (part / target)[:, None]
        before, here, next_, after = (self._held[at + step] for step in (-1, 0, 1, 2))
        bend = 2 * before - 5 * here + 4 * next_ - after + t * (3 * (here - next_) + after - before)
        out: Floats = here + t / 2 * (next_ - before + t * bend)
        self._given = max(end, self._given)
        used = max(min(self._given * source // target - 1 - self._first, len(self._held)), 0)
        self._held = self._held[used:].copy()
        self._first += used
        return out
