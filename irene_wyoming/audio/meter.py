"""Meter: how loud a stream is, whether it clips, and how far its speech stands out of its noise.

It keeps two numbers per 20 ms and works them out half a second at a time. That takes 0.05 ms of CPU per second of
audio, so every live stream can have one.
"""

from collections import deque
from itertools import islice
from math import log10

import numpy as np
from numpy.typing import NDArray

BLOCK_S = 0.02
"""Seconds of audio per number kept: longer than a period of the lowest voice, shorter than the pause between words."""

BLOCKS_AT_A_TIME = 25
"""Blocks computed at a time: numpy takes as long for one as for ten, and for 25 half as long again."""

FLOOR_S = 10.0
"""Seconds over which the noise floor is taken: nobody speaks so long without a breath."""

FLOOR_SHARE = 0.1
"""Share of the quietest blocks that make up the noise floor; the single quietest one may be an accident."""

CLIPPED_STEP = 32_767
"""Least absolute value of a 16-bit sample that counts as clipped."""

SILENCE_DBFS = -100.0
"""Level given for digital silence, dBFS: below the rounding of 16 bit."""


class Meter:
    """Measures 16-bit mono audio, by the same blocks however it is cut. Levels are in dB of full scale (dBFS)."""

    def __init__(self, rate: int, window_s: float = 1.0) -> None:
        """:param rate: sample rate, Hz.
        :param window_s: seconds over which ``level_dbfs``, ``snr_db`` and ``peak_dbfs`` are taken; a wake word takes
            about 1.
        """
        self._block = round(rate * BLOCK_S)
        self._window = max(1, round(window_s / BLOCK_S))
        size = max(self._window, round(FLOOR_S / BLOCK_S))
        self._powers: deque[float] = deque(maxlen=size)  # mean square of each block, in squared 16-bit steps
        self._peaks: deque[int] = deque(maxlen=self._window)
        self._clipped = 0
        self._waiting: list[NDArray[np.int16]] = []  # samples that have not been computed yet
        self._frames = 0  # number of frames in _waiting

    def push(self, samples: NDArray[np.int16]) -> None:
        """Take any number of int16 samples ``(frames,)``, which stay as they are. An incomplete block waits for the
        next push.
        """
        self._waiting.append(samples)
        self._frames += len(samples)
        if self._frames >= self._block * BLOCKS_AT_A_TIME:
            self._work_out()

    @property
    def clipped(self) -> int:
        """Samples at full scale since the meter was made."""
        self._work_out()
        return self._clipped

    @property
    def level_dbfs(self) -> float:
        """Root mean square of the window's louder half, dBFS: silence around a word does not make it softer."""
        return dbfs(self._loud())

    @property
    def peak_dbfs(self) -> float:
        """The largest absolute sample of the window, dBFS."""
        self._work_out()
        return dbfs(float(max(self._peaks, default=0)) ** 2)

    @property
    def floor_dbfs(self) -> float:
        """The noise floor: the mean of the quietest tenth of the last ten seconds, dBFS."""
        return dbfs(self._floor())

    @property
    def snr_db(self) -> float:
        """Decibels from ``floor_dbfs`` up to ``level_dbfs``, 0 or more. Vague in a stream's first second."""
        return max(0.0, self.level_dbfs - self.floor_dbfs)

    def _loud(self) -> float:
        self._work_out()
        recent = sorted(islice(reversed(self._powers), self._window), reverse=True)
        half = recent[: -(-len(recent) // 2)]
        return sum(half) / len(half) if half else 0.0

    def _floor(self) -> float:
        self._work_out()
        ordered = sorted(self._powers)
        quiet = ordered[: max(1, round(len(ordered) * FLOOR_SHARE))]
        return sum(quiet) / len(quiet) if quiet else 0.0

    def _work_out(self) -> None:
        """Compute the powers of all blocks that are full."""
        blocks = self._frames // self._block
        if not blocks:
            return
        samples = np.concatenate(self._waiting)
        end = blocks * self._block
        self._waiting = [samples[end:].copy()]  # a slice would keep all of it alive
        self._frames -= end
        rows = samples[:end].astype(np.float32).reshape(blocks, self._block)
        self._powers.extend((np.einsum("ij,ij->i", rows, rows) / self._block).tolist())
        peaks = np.maximum(rows.max(axis=1), -rows.min(axis=1))
        self._peaks.extend(peaks.astype(int).tolist())
        if peaks.max() >= CLIPPED_STEP:
            self._clipped += int(np.count_nonzero(np.abs(rows) >= CLIPPED_STEP))


def dbfs(power: float) -> float:
    """The level in dBFS of a mean square of 16-bit samples: a square wave at full scale has 0, a sine -3."""
    return max(SILENCE_DBFS, 10 * log10(power / 2**30)) if power > 0 else SILENCE_DBFS
