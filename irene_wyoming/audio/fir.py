"""Resampling with a short filter, as one matrix product per push: what live streams use.

An output frame is the sum of the input frames around it, weighted by a Kaiser-windowed sinc (Crochiere and Rabiner,
"Multirate Digital Signal Processing", 1983) or, at the fast level, by a sum of cosines that was fitted to what speech
needs. Its delay is half the filter: fractions of a millisecond, and constant.
Outputs are computed in blocks, each a row of input times a table of weights, so that numpy does all of a push in one
call. One table serves all streams of a ratio and level; a stream keeps only the input that the next block needs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import Quality

Samples = NDArray[np.float64]

BLOCK = 16
"""Outputs per row of the weights, about. Fewer cost more calls, more multiply more zeros. Measured on x86-64."""

MAX_TABLE_BYTES = 1 << 20
"""Largest table of weights. A larger one takes longer to compute (150 ms) than it saves, and leaves the processor's
cache. Ratios of rates in real use need at most 400 KiB; only those of near-prime rates are beyond.
"""

TIE_BREAK = 2.0**-30
"""Gain above 1, which decides roundings. Without it the mean of two channels can lie halfway between two 16-bit steps.
The last bit of a sum, which depends on how numpy cuts its work, would decide then.
"""

FEW_UNITS = 3
"""Most rows per table that are multiplied one by one: for two that takes 10 us, one product 18 (on x86-64)."""

MAX_PIECE = 3_840
"""Most input frames computed at a time, 80 ms at 48 kHz: bounds the scratch memory for any size of push."""


COSINES = (
    *(0.50315210, 0.99363989, 1.00656830, 0.99292524, 1.00835727, 0.98134268),
    *(1.05978201, 0.78582968, 0.17110622, -0.00578902, 0.00203573),
)
"""Weights of the cosines whose sum is the fast level's filter."""

COSINE_REACH = 80 / 21
"""Half the length of the cosine filter in periods of half the lower rate: 0.48 ms of audio to 16 kHz."""

COSINE_WINDOW = 2.0
"""Beta of the slight Kaiser window over the cosines. It lowers the far end of the stop band."""


@dataclass(frozen=True, slots=True)
class Level:
    """A low-pass filter; its edges are relative to half the lower of the two rates."""

    passes: float
    stops: float
    rejects_db: float
    cosines: tuple[float, ...] = ()
    """Weights of cos(pi k t) over the length of the filter. None: a sinc under a Kaiser window."""


LEVELS: Mapping[Quality, Level] = MappingProxyType(
    {
        # To 16 kHz: within 0.1 dB to 5.6 kHz and 1 dB to 7 kHz, nothing from 9.6 kHz on (tests/audio/design.py).
        # A Kaiser window of this length stops from 10 kHz on, and with noise of 8 to 20 kHz 10 dB above speech a wake
        # word was lost.
        Quality.FAST: Level(0.875, 1.2, 60.5, COSINES),
        Quality.MEDIUM: Level(0.875, 1.125, 60),  # flat to 7 kHz, nothing from 9 kHz on
        Quality.HIGH: Level(0.875, 1.125, 93),  # the same, and what it lets through is below the noise of 16 bit
    }
)


@dataclass(frozen=True, slots=True)
class FirPlan:
    """The weights of one ratio and level. Immutable, so all streams share it."""

    source_rate: int
    target_rate: int
    half: int
    """Input frames on each side of an output that weigh in it."""
    unit_in: int
    """Input frames after which the weights repeat."""
    unit_out: int
    """Outputs that ``unit_in`` input frames give."""
    stride: int
    """Input frames from one block of a unit to the next."""
    before: int
    """Outputs of the first unit that lie before the stream. They align units of input and output, so that a push of 10
    or 20 ms computes nothing in vain.
    """
    lead: int
    """Input frames before the stream that belong to its first unit."""
    weights: Samples
    """Weights of each block, float64: ``(blocks, row length, outputs per block)``."""

    @property
    def delay_s(self) -> float:
        """Seconds of audio that a stream with this plan holds back."""
        return self.half / self.source_rate

    @property
    def nbytes(self) -> int:
        return int(self.weights.nbytes)


def fits(source_rate: int, target_rate: int, quality: Quality) -> bool:
    """Whether the table of weights for this ratio stays within MAX_TABLE_BYTES; if not, soxr is the better method."""
    common = math.gcd(source_rate, target_rate)
    blocks = max(1, target_rate // common // BLOCK)
    stride = source_rate // common // blocks
    slack = source_rate // common - blocks * stride
    row = stride + slack + 2 * half_length(source_rate, target_rate, LEVELS[quality])
    return blocks * row * BLOCK * 8 <= MAX_TABLE_BYTES


def half_length(source_rate: int, target_rate: int, level: Level) -> int:
    """Half the filter's length, input frames: by COSINE_REACH, or Kaiser's estimate for a Kaiser window."""
    nyquist = min(source_rate, target_rate) / 2
    if level.cosines:
        return math.ceil(COSINE_REACH * source_rate / nyquist)
    transition = 2 * math.pi * (level.stops - level.passes) * nyquist / source_rate
    return math.ceil((level.rejects_db - 7.95) / (2.285 * transition) / 2)


def plan(source_rate: int, target_rate: int, quality: Quality) -> FirPlan:
    """Compute the weights for a ratio, which takes 1 to 20 ms.

    :param quality: one of LEVELS.
    """
    level = LEVELS[quality]
    common = math.gcd(source_rate, target_rate)
    repeats = max(1, math.ceil(BLOCK * common / target_rate))
    unit_in, unit_out = source_rate // common * repeats, target_rate // common * repeats
    blocks = block_count(unit_out)
    stride, outputs = unit_in // blocks, unit_out // blocks
    half = half_length(source_rate, target_rate, level)
    before = math.ceil(half * unit_out / unit_in) - 1
    earlier = math.ceil(before * unit_in / unit_out)
    output = np.arange(unit_out).reshape(blocks, 1, outputs) - before
    # Where each output lies in the row of its block, less half
    centre = earlier + output * unit_in / unit_out - stride * np.arange(blocks)[:, None, None]
    row = math.ceil(centre.max()) + 2 * half + 1
    distance = np.arange(row)[:, None] - half - centre
    weights = kernel(distance, source_rate, target_rate, level)
    weights /= weights.sum(axis=1, keepdims=True) * (1 - TIE_BREAK)  # every output has the same gain at 0 Hz
    return FirPlan(
        source_rate, target_rate, half, unit_in, unit_out, stride, before, earlier + half, np.ascontiguousarray(weights)
    )


def block_count(unit_out: int) -> int:
    """The number of equal blocks that cut a unit's outputs into about BLOCK each."""
    divisors = [n for n in range(1, unit_out + 1) if unit_out % n == 0]
    return min(divisors, key=lambda blocks: abs(math.log(unit_out / blocks / BLOCK)))


def kernel(distance: Samples, source_rate: int, target_rate: int, level: Level) -> Samples:
    """The filter at distances (input frames) from its middle, 0 beyond its ends. The caller scales it."""
    if level.cosines:
        position = distance / (COSINE_REACH * source_rate / (min(source_rate, target_rate) / 2))
        waves = (weight * np.cos(np.pi * k * position) for k, weight in enumerate(level.cosines))
        cosines: Samples = window(position, COSINE_WINDOW) * sum(waves)
        return cosines
    cutoff = (level.passes + level.stops) / 2 * min(source_rate, target_rate) / source_rate
    half = half_length(source_rate, target_rate, level)
    return window(distance / half, 0.1102 * (level.rejects_db - 8.7)) * np.sinc(cutoff * distance)


def window(position: Samples, beta: float) -> Samples:
    """Kaiser's window at positions from -1 to 1; 0 outside."""
    inside = np.sqrt(np.clip(1 - position**2, 0, None))
    return np.where(np.abs(position) < 1, np.i0(beta * inside) / np.i0(beta), 0.0)


class FirStream:
    """Resamples one channel of one stream. The output, joined, does not depend on how the input was cut.

    :ivar delay_s: seconds of audio held back: constant.
    """

    def __init__(self, weights: FirPlan) -> None:
        self.delay_s = weights.delay_s
        self._plan = weights
        self._unit_in, self._unit_out = weights.unit_in, weights.unit_out
        # input frames from a unit's start to the stream's, and half the filter
        self._reach = weights.lead + weights.half
        self._window = weights.weights[0] if len(weights.weights) == 1 else weights.weights
        self._buffer = np.zeros(weights.lead)
        self._rows: dict[int, Samples] = {}  # units -> the buffer as rows of input, one per block of outputs
        self.reset()

    def reset(self) -> None:
        """Start a new stream; nothing of the old one is heard in it."""
        self._fill = self._plan.lead  # frames in the buffer; silence stands before a stream
        self._skip = self._plan.before  # outputs of the buffer's first unit that were given already
        self._buffer[: self._fill] = 0

    def push(self, samples: NDArray[Any]) -> Samples:
        """Take samples of any real type; give float64 samples in the same scale."""
        if len(samples) > MAX_PIECE:
            pieces = range(0, len(samples), MAX_PIECE)
            return np.concatenate([self.push(samples[start : start + MAX_PIECE]) for start in pieces])
        self._take(samples)
        return self._give((self._fill - self._reach) * self._unit_out // self._unit_in + 1 + self._plan.before)

    def flush(self) -> Samples:
        """End the stream as if silence followed. Call ``reset()`` before the next push."""
        plan = self._plan
        taken = self._fill - plan.lead
        self._take(np.zeros(plan.half))
        return self._give(-(-taken * plan.unit_out // plan.unit_in) + plan.before)

    def _take(self, samples: NDArray[Any]) -> None:
        fill = self._fill + len(samples)
        if fill > len(self._buffer):
            self._grow(fill)
        self._buffer[self._fill : fill] = samples
        self._fill = fill

    def _give(self, until: int) -> Samples:
        """Give the outputs up to ``until``, counted from the unit at which the buffer begins."""
        skip = self._skip
        if until <= skip:
            return np.empty(0)
        units = -(-until // self._unit_out)
        rows = self._rows.get(units)
        if rows is None:
            rows = self._view(units)
        # A row may reach beyond the filled part: it meets weights of 0 there, or its outputs are cut off here.
        out: Samples
        if rows.ndim == 2:  # dot() handles overlapping rows better than matmul()
            out = np.dot(rows, self._window).reshape(-1)[skip:until]
        elif rows.ndim == 3:
            out = np.matmul(rows, self._window).transpose(1, 0, 2).reshape(-1)[skip:until]
        elif 2 * (until - skip) > units * self._unit_out:
            out = np.matmul(rows, self._window).reshape(-1)[skip:until]
        else:
            out = self._few_blocks(rows, skip, until)
        whole = until // self._unit_out
        self._skip = until - whole * self._unit_out
        if whole:
            used = whole * self._unit_in
            self._buffer[: self._fill - used] = self._buffer[used : self._fill]
            self._fill -= used
        return out

    def _few_blocks(self, rows: Samples, skip: int, until: int) -> Samples:
        """Compute outputs that fill a small part of their units: only the blocks that hold them."""
        outputs = self._window.shape[2]
        parts = []
        for unit in range(len(rows)):
            first, end = max(0, skip - unit * self._unit_out), min(until - unit * self._unit_out, self._unit_out)
            low, high = first // outputs, -(-end // outputs)
            out = np.matmul(rows[unit, low:high], self._window[low:high]).reshape(-1)
            parts.append(out[first - low * outputs : end - low * outputs])
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _view(self, units: int) -> Samples:
        """The buffer as overlapping rows, without a copy.

        Its shape is (units, row) where a unit is one block,
        (units, blocks, 1, row) for few units, else (blocks, units, row).
        """
        plan = self._plan
        blocks, row, _ = plan.weights.shape
        needed = (units - 1) * plan.unit_in + (blocks - 1) * plan.stride + row
        if needed > len(self._buffer):
            self._grow(needed)
        step = self._buffer.itemsize
        unit_step, block_step = plan.unit_in * step, plan.stride * step
        layout: tuple[tuple[int, int], ...]  # rows in each dimension, and the bytes from one to the next
        if blocks == 1:
            layout = ((units, unit_step), (row, step))
        elif units <= FEW_UNITS:
            layout = ((units, unit_step), (blocks, block_step), (1, step), (row, step))
        else:
            layout = ((blocks, block_step), (units, unit_step), (row, step))
        shape, strides = zip(*layout, strict=True)
        rows = np.ndarray(shape, np.float64, self._buffer, 0, strides)
        self._rows[units] = rows
        return rows

    def _grow(self, size: int) -> None:
        buffer = np.zeros(size + self._plan.unit_in)
        buffer[: self._fill] = self._buffer[: self._fill]
        self._buffer = buffer
        self._rows.clear()
