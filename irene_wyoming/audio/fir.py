"""Resampling with a short windowed sinc, as one matrix product per push: what live streams use.

An output frame is the sum of the input frames around it, weighted by a Kaiser-windowed sinc (Crochiere and Rabiner,
"Multirate Digital Signal Processing", 1983). Its delay is half the window: fractions of a millisecond, and constant.
Outputs are computed in blocks, each a row of input times a table of weights, so that numpy does all of a push in one
call. One table serves all streams of a ratio and level; a stream keeps only the input that the next block needs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import Quality

Samples = NDArray[np.float64]

BLOCK = 16
"""Outputs per row, about: fewer cost calls, more multiply zeros. Found by measurement on x86-64."""

MAX_TABLE_BYTES = 1 << 20
"""Beyond it a table takes longer to compute (150 ms) than it saves, and does not stay in the processor's cache.
Ratios of rates in real use need at most 400 KiB; only those of near-prime rates are beyond."""

MAX_PIECE = 16_384
"""Input frames worked on at a time: bounds the scratch memory, whatever the size of a push."""


@dataclass(frozen=True, slots=True)
class Level:
    """A low-pass, relative to half the lower of the two rates: passes below, stops above."""

    passes: float
    stops: float
    rejects_db: float


LEVELS: Mapping[Quality, Level] = MappingProxyType(
    {
        Quality.FAST: Level(0.75, 1.25, 60),  # to 16 kHz: flat to 6 kHz, nothing from 10 kHz on
        Quality.MEDIUM: Level(0.875, 1.125, 60),  # flat to 7 kHz, nothing from 9 kHz on
        Quality.HIGH: Level(0.9, 1.1, 96),  # flat to 7.2 kHz, nothing from 8.8 kHz on, below the noise of 16 bit
    }
)


@dataclass(frozen=True, slots=True)
class FirPlan:
    """The weights of one ratio and level. Immutable: shared by all streams."""

    source_rate: int
    target_rate: int
    half: int
    """Input frames that an output reaches ahead; also how many it reaches back."""
    unit_in: int
    """Input frames after which the weights repeat ..."""
    unit_out: int
    """... and the outputs that they give."""
    stride: int
    """Input frames from one block of a unit to the next."""
    weights: Samples
    """(blocks, row length, outputs per block)"""

    @property
    def delay_s(self) -> float:
        """What a stream holds back, seconds."""
        return self.half / self.source_rate

    @property
    def nbytes(self) -> int:
        return int(self.weights.nbytes)

    def ready(self, taken: int) -> int:
        """Outputs that ``taken`` input frames give while more may follow."""
        return (taken - self.half) * self.unit_out // self.unit_in + 1 if taken >= self.half else 0

    def total(self, taken: int) -> int:
        """Outputs that a stream of ``taken`` input frames has in all."""
        return -(-taken * self.unit_out // self.unit_in)


def fits(source_rate: int, target_rate: int, quality: Quality) -> bool:
    """Whether a table for this ratio stays small; otherwise another method is the better one."""
    common = math.gcd(source_rate, target_rate)
    blocks = max(1, target_rate // common // BLOCK)
    stride = source_rate // common // blocks
    slack = source_rate // common - blocks * stride
    row = stride + slack + 2 * half_length(source_rate, target_rate, LEVELS[quality])
    return blocks * row * BLOCK * 8 <= MAX_TABLE_BYTES


def half_length(source_rate: int, target_rate: int, level: Level) -> int:
    """Half the window, input frames: Kaiser's estimate for the wanted rejection and width of transition."""
    nyquist = min(source_rate, target_rate) / 2
    transition = 2 * math.pi * (level.stops - level.passes) * nyquist / source_rate
    return math.ceil((level.rejects_db - 7.95) / (2.285 * transition) / 2)


def plan(source_rate: int, target_rate: int, quality: Quality) -> FirPlan:
    """Compute the weights: 1 to 20 ms.

    :param quality: one of LEVELS.
    """
    level = LEVELS[quality]
    common = math.gcd(source_rate, target_rate)
    repeats = max(1, math.ceil(BLOCK * common / target_rate))
    unit_in, unit_out = source_rate // common * repeats, target_rate // common * repeats
    blocks = block_count(unit_out)
    stride, outputs = unit_in // blocks, unit_out // blocks
    half = half_length(source_rate, target_rate, level)
    first = np.arange(blocks)[:, None, None]
    centre = (first * outputs + np.arange(outputs)) * unit_in / unit_out - first * stride  # in its row, less half
    row = math.ceil(centre.max()) + 2 * half + 1
    distance = np.arange(row)[:, None] - half - centre
    weights = window(distance / half, level.rejects_db) * np.sinc(cutoff(source_rate, target_rate, level) * distance)
    weights /= weights.sum(axis=1, keepdims=True)  # each output has a gain of exactly 1 at 0 Hz
    return FirPlan(source_rate, target_rate, half, unit_in, unit_out, stride, np.ascontiguousarray(weights))


def block_count(unit_out: int) -> int:
    """Into how many equal blocks the outputs of a unit are cut: those nearest to BLOCK outputs each."""
    divisors = [n for n in range(1, unit_out + 1) if unit_out % n == 0]
    return min(divisors, key=lambda blocks: abs(math.log(unit_out / blocks / BLOCK)))


def cutoff(source_rate: int, target_rate: int, level: Level) -> float:
    """Middle of the transition, as a fraction of half the source rate."""
    return (level.passes + level.stops) / 2 * min(source_rate, target_rate) / source_rate


def window(position: Samples, rejects_db: float) -> Samples:
    """Kaiser's window at positions from -1 to 1; 0 outside."""
    beta = 0.1102 * (rejects_db - 8.7)
    inside = np.sqrt(np.clip(1 - position**2, 0, None))
    return np.where(np.abs(position) < 1, np.i0(beta * inside) / np.i0(beta), 0.0)


class FirStream:
    """One channel of one stream. What comes out, joined, does not depend on how the input was cut."""

    _scratch: ClassVar[list[Samples]] = []  # spare input buffers of all streams; taking and giving back is atomic

    def __init__(self, weights: FirPlan) -> None:
        self.plan = weights
        self.reset()

    def reset(self) -> None:
        """Start a new stream; nothing of the old one is heard in it."""
        self._taken = 0  # input frames
        self._given = 0  # outputs
        self._tail = np.zeros(self.plan.half)  # input from the unit of the next output on, less half

    def push(self, samples: NDArray[Any]) -> Samples:
        """Take samples of any real type, give float64 in the same scale."""
        if len(samples) <= MAX_PIECE:
            return self._advance(samples, self.plan.ready(self._taken + len(samples)))
        pieces = range(0, len(samples), MAX_PIECE)
        return np.concatenate([self.push(samples[start : start + MAX_PIECE]) for start in pieces])

    def flush(self) -> Samples:
        """End the stream, as if silence followed. Next: ``reset()``."""
        end = self.plan.total(self._taken)
        return self._advance(np.zeros(self.plan.half), end)

    def _advance(self, samples: NDArray[Any], until: int) -> Samples:
        plan = self.plan
        unit, skip = divmod(self._given, plan.unit_out)
        self._taken += len(samples)
        filled = len(self._tail) + len(samples)
        until = max(until, self._given)
        units = -(-until // plan.unit_out) - unit
        blocks, row, _ = plan.weights.shape
        buffer = self._borrow(max(filled, (units - 1) * plan.unit_in + (blocks - 1) * plan.stride + row))
        buffer[: len(self._tail)] = self._tail
        buffer[len(self._tail) : filled] = samples
        rows = np.ndarray((blocks, max(units, 0), row), np.float64, buffer, 0, (plan.stride * 8, plan.unit_in * 8, 8))
        # Where a row reaches beyond what is filled, it meets weights of 0 or outputs that are cut off below.
        out: Samples = np.matmul(rows, plan.weights)
        flat = (out if blocks == 1 else out.transpose(1, 0, 2)).reshape(-1)[skip : skip + until - self._given]
        self._given = until
        self._tail = buffer[(until // plan.unit_out - unit) * plan.unit_in : filled].copy()
        self._scratch.append(buffer)
        return flat

    def _borrow(self, size: int) -> Samples:
        """A buffer of at least ``size``; what is in it are old samples, never infinite."""
        try:
            buffer = self._scratch.pop()
        except IndexError:
            buffer = np.zeros(0)
        return buffer if len(buffer) >= size else np.zeros(size + MAX_PIECE // 8)
