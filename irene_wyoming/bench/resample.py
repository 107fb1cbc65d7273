"""Compares conversion methods in one run: cost, delay and quality."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.bench import quality
from irene_wyoming.bench.methods import method
from irene_wyoming.bench.rows import MethodRow, Timing
from irene_wyoming.bench.timing import interleaved
from irene_wyoming.household.alone import alone

WIDTH = 2

IN_A_ROW = 20
"""Calls per round: together long enough for the clock, short enough to fit between two interruptions."""


@dataclass(frozen=True, slots=True)
class Effort:
    """The size of a measurement."""

    rounds: int
    tones: int
    streams: int


FULL = Effort(rounds=1_000, tones=120, streams=200)
QUICK = Effort(rounds=30, tones=12, streams=0)
"""A short run that shows whether the measurement works; its figures are rough and without memory."""


def measure(
    names: Sequence[str], source_rate: int, target_rate: int, chunk_ms: Sequence[int], effort: Effort
) -> list[MethodRow]:
    """Measure methods at one ratio, their costs in turns, in a process with one BLAS thread."""
    rows = alone(measure_here, names, source_rate, target_rate, chunk_ms, effort)
    return [with_memory(row, effort.streams) for row in rows] if effort.streams else rows


def measure_here(
    names: Sequence[str], source_rate: int, target_rate: int, chunk_ms: Sequence[int], effort: Effort
) -> list[MethodRow]:
    """Measure methods at one ratio in this process, without memory."""
    costs = {ms: cost(names, source_rate, target_rate, ms, effort.rounds) for ms in chunk_ms}
    return [
        MethodRow(
            name,
            source_rate,
            target_rate,
            {ms: timings[name] for ms, timings in costs.items()},
            quality.held(method(name), source_rate, target_rate),
            quality.fidelity(method(name), source_rate, target_rate, effort.tones),
            None,
        )
        for name in names
    ]


def cost(names: Sequence[str], source_rate: int, target_rate: int, chunk_ms: float, rounds: int) -> dict[str, Timing]:
    """Measure the CPU of one chunk of 16 bit mono per method, from bytes to bytes."""
    source, target = AudioFormat(source_rate, WIDTH, 1), AudioFormat(target_rate, WIDTH, 1)
    noise = np.random.default_rng(1).normal(size=round(source_rate * chunk_ms / 1_000)) * 2_000
    pcm = noise.astype("<i2").tobytes()
    calls = {name: method(name).open(source, target).timed(pcm) for name in names}
    return interleaved(calls, rounds, IN_A_ROW)


def with_memory(row: MethodRow, streams: int) -> MethodRow:
    taken = memory(row.method, row.source_rate, row.target_rate, streams)
    each = None if taken is None else taken // streams
    return MethodRow(row.method, row.source_rate, row.target_rate, row.cost, row.held, row.fidelity, each)


def memory(name: str, source_rate: int, target_rate: int, streams: int) -> int | None:
    """Measure the bytes that live streams take, in a process of their own."""
    return alone(memory_here, name, source_rate, target_rate, streams)


def memory_here(name: str, source_rate: int, target_rate: int, streams: int) -> int | None:
    return quality.memory(method(name), source_rate, target_rate, streams)
