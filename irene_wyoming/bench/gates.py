"""Judges the promises of the audio core by measurements."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from irene_wyoming.audio.clips import ClipCache
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.bench import fanout, imports
from irene_wyoming.bench.methods import LIVE_LEVELS, PEER, WHOLE, absent
from irene_wyoming.bench.resample import cost, memory
from irene_wyoming.bench.rows import Gate, ImportRow, MethodRow, Timing
from irene_wyoming.bench.timing import interleaved
from irene_wyoming.household.alone import alone

COST: Mapping[int, Mapping[str, Mapping[int, float]]] = {
    48_000: {"fast": {20: 1.0, 80: 0.6}, "medium": {20: 1.0, 80: 0.6}, "high": {20: 1.2, 80: 0.75}},
    44_100: {"fast": {20: 1.5, 80: 0.8}, "medium": {20: 1.7, 80: 0.8}, "high": {20: 1.9, 80: 1.0}},
}
"""Largest cost relative to the peers' converter, which has no filter, by rate, level and chunk in ms."""

EVERY_RATE = (
    *(8_000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 176_400, 192_000),
    *(44_056, 47_999),
)
"""Source rates, Hz, for conversion to 16 kHz: common ones, and two with few common factors."""

DEAREST = 4.0
"""Largest cost at any rate, as a multiple of the peers'."""

HELD_MS = {"fast": 0.5, "medium": 1.0, "high": 2.0}
ALIAS_DB = {"fast": (10, 60.0), "medium": (9, 60.0), "high": (9, 90.0), WHOLE: (9, 100.0)}
"""Least rejection of aliases, dB, and the kHz from which it holds, by level."""

RIPPLE_DB = {"fast": 1.1, "medium": 0.1, "high": 0.1}
STREAMS = 1_000
STREAMS_MB = 40.0
READERS = 16
SHARED = 1.3
CLIP_HIT = 5.0
CORE = "irene_wyoming.audio.convert"
NO_PEER = "no audioop in this Python: the peers' converter is a slow stand-in here"


def gates(rows: Sequence[MethodRow], rounds: int) -> Iterator[Gate]:
    """Judge the rows, and measure what they lack.

    :param rows: every method at 48 and 44.1 kHz, chunks of 20 and 80 ms.
    :param rounds: rounds of the other measurements.
    """
    yield from cost_gates(rows)
    yield dearest_gate(rounds)
    yield from held_gates(rows)
    yield from fidelity_gates(rows)
    yield from memory_gates()
    yield shared_gate(alone(fanout.shared, (1, READERS), rounds))
    yield clip_gate(alone(clip_costs, rounds))
    yield import_gate(imports.imported(CORE))


def cost_gates(rows: Sequence[MethodRow]) -> Iterator[Gate]:
    for row in rows:
        limits = COST.get(row.source_rate, {}).get(row.method, {})
        for ms in sorted(limits.keys() & row.cost.keys()):
            limit = limits[ms]
            about = f"cost of {row.method}, {row.source_rate} Hz, chunks of {ms} ms"
            ratio = of_method(rows, row, PEER, ms)
            if ratio is None:
                yield Gate(about, f"<= {limit} of the peers'", NO_PEER, None)
            else:
                yield Gate(about, f"<= {limit} of the peers'", f"{ratio:.2f}", round(ratio, 2) <= limit)


def of_method(rows: Sequence[MethodRow], row: MethodRow, name: str, ms: int) -> float | None:
    """The row's cost as a multiple of another method's in the same run; None: that was not measured."""
    for other in rows:
        if other.method == name and (other.source_rate, other.target_rate) == (row.source_rate, row.target_rate):
            return row.cost[ms].least_us / other.cost[ms].least_us
    return None


def dearest_gate(rounds: int) -> Gate:
    about, limit = f"cost at {len(EVERY_RATE)} rates from 8 to 192 kHz, 20 ms", f"<= {DEAREST:g} of the peers'"
    if PEER in absent():
        return Gate(about, limit, NO_PEER, None)
    ratio, name, rate = max(alone(ratios, rounds))
    return Gate(about, limit, f"{ratio:.2f} ({name}, {rate} Hz)", ratio <= DEAREST)


def ratios(rounds: int) -> list[tuple[float, str, int]]:
    """Cost of every level relative to the peers' converter at every rate; for a process of its own."""
    found = []
    for rate in EVERY_RATE:
        costs = cost([*LIVE_LEVELS, PEER], rate, SPEECH.rate, 20, rounds)
        found += [(costs[level].least_us / costs[PEER].least_us, str(level), rate) for level in LIVE_LEVELS]
    return found


def held_gates(rows: Sequence[MethodRow]) -> Iterator[Gate]:
    for row in rows:
        if row.method in HELD_MS and row.source_rate in COST:
            least, most, limit = row.held.min_ms, row.held.max_ms, HELD_MS[row.method]
            frame_ms = 1_000 / row.target_rate + 1_000 / row.source_rate  # a whole frame is there or not
            yield Gate(
                f"held back by {row.method}, {row.source_rate} Hz",
                f"<= {limit:g} ms, constant",
                f"{least:.2f} to {most:.2f} ms",
                most <= limit and most - least <= frame_ms,
            )


def fidelity_gates(rows: Sequence[MethodRow]) -> Iterator[Gate]:
    for row in rows:
        if row.source_rate not in COST:
            continue
        where = f"{row.method}, {row.source_rate} Hz"
        if row.method in ALIAS_DB:
            khz, limit = ALIAS_DB[row.method]
            found = row.fidelity.alias_from_9k_db if khz == 9 else row.fidelity.alias_from_10k_db
            if found is not None:
                yield Gate(f"alias of {where}", f">= {limit:g} dB from {khz} kHz", f"{found:.1f} dB", found >= limit)
        if row.method in RIPPLE_DB:
            ripple, most = row.fidelity.ripple_db, RIPPLE_DB[row.method]
            yield Gate(f"ripple of {where}", f"<= {most:g} dB to 7 kHz", f"{ripple:.3f} dB", ripple <= most)


def memory_gates() -> Iterator[Gate]:
    for rate in COST:
        for level in LIVE_LEVELS:
            about, limit = f"{STREAMS} live streams of {level}, {rate} Hz", f"<= {STREAMS_MB:g} MB"
            taken = memory(level, rate, SPEECH.rate, STREAMS)
            if taken is None:
                yield Gate(about, limit, "this system does not tell a process's memory", None)
            else:
                yield Gate(about, limit, f"{taken / 1e6:.1f} MB", taken / 1e6 <= STREAMS_MB)


def shared_gate(costs: Mapping[int, Timing]) -> Gate:
    ratio = costs[READERS].least_us / costs[1].least_us
    return Gate(f"{READERS} readers of one converted stream", f"<= {SHARED} of one", f"{ratio:.2f}", ratio <= SHARED)


def clip_costs(rounds: int) -> dict[str, Timing]:
    """Cost of a second of 48 kHz when it is converted, and when it is found in the cache."""
    source = AudioFormat(48_000, 2, 1)
    pcm = (np.random.default_rng(1).normal(size=source.rate) * 2_000).astype("<i2").tobytes()
    kept, emptied = ClipCache(), ClipCache()
    kept.convert(pcm, source, SPEECH, Quality.HIGH)

    def hit() -> None:
        kept.convert(bytes(memoryview(pcm)), source, SPEECH, Quality.HIGH)  # a copy, whose hash was never computed

    def miss() -> None:
        emptied.clear()
        emptied.convert(pcm, source, SPEECH, Quality.HIGH)

    return interleaved({"hit": hit, "miss": miss}, max(2, rounds // 10), in_a_row=3)


def clip_gate(costs: Mapping[str, Timing]) -> Gate:
    ratio = costs["miss"].least_us / costs["hit"].least_us
    return Gate("a hit of the clip cache, 1 s", f">= {CLIP_HIT:g} x cheaper", f"{ratio:.1f} x", ratio >= CLIP_HIT)


def import_gate(row: ImportRow) -> Gate:
    value = f"{row.ms:.0f} ms with {', '.join(row.heavy)}"
    return Gate(f"import {row.module}", "no scipy", value, "scipy" not in row.heavy)
