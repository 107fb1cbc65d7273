"""Measures what a method does to sound, and how much audio it holds back."""

import numpy as np

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.bench.methods import Method
from irene_wyoming.bench.rows import Fidelity, Held
from irene_wyoming.bench.tones import db, fit, rms, through, tone
from irene_wyoming.bench.usage import resident_bytes

FINE = 4
"""Bytes per sample for measuring filters: the rounding of 16 bit would hide values below -98 dB."""

USED = 2
"""Bytes per sample of speech as it is sent."""

LEVEL = 0.9
"""Level of the tones, as a share of full scale."""

STREAM_S = 10.0
"""Seconds of audio over which the delay is measured."""


def fidelity(method: Method, source_rate: int, target_rate: int, tones: int) -> Fidelity:
    """Measure a method with ``tones`` tones of each kind."""
    rates = source_rate, target_rate
    low = min(rates) / 2
    passed = np.linspace(97, min(7_000, 0.875 * low), tones)
    remains = remainders(method, rates, tones)
    return Fidelity(
        rejection(remains, 9_000),
        rejection(remains, 10_000),
        max(abs(gain_db(method, rates, float(hz))) for hz in passed),
        snr_db(method, rates, 997),
        snr_db(method, rates, 5_987) if low >= 8_000 else None,
    )


def remainders(method: Method, rates: tuple[int, int], tones: int) -> dict[float, float]:
    """The remains of tones above the target's band, from 9 kHz up, as a fraction by frequency, Hz."""
    lowest, top = max(9_000.0, rates[1] / 2), 0.995 * rates[0] / 2
    if lowest > top:
        return {}
    return {
        float(hz): rms(through(method, tone(float(hz), rates[0], LEVEL), rates, FINE)) / (LEVEL / np.sqrt(2))
        for hz in sorted({*np.geomspace(lowest, top, tones), max(lowest, min(10_000.0, top))})
    }


def rejection(remains: dict[float, float], above: float) -> float | None:
    """Rejection of the worst tone from ``above`` Hz up, dB; None: there is no such tone."""
    return -db(max(some)) if (some := [left for hz, left in remains.items() if hz >= above]) else None


def gain_db(method: Method, rates: tuple[int, int], hz: float) -> float:
    return db(fit(through(method, tone(hz, rates[0], LEVEL), rates, FINE), hz, rates[1]).level / LEVEL)


def snr_db(method: Method, rates: tuple[int, int], hz: float) -> float:
    found = fit(through(method, tone(hz, rates[0], LEVEL), rates, USED), hz, rates[1])
    return db(found.level / np.sqrt(2) / max(found.rest, 1e-12))


def held(method: Method, source_rate: int, target_rate: int) -> Held:
    """Compare input and output after each of many pushes of 1 to 20 ms."""
    source, target = AudioFormat(source_rate, USED, 1), AudioFormat(target_rate, USED, 1)
    stream = method.open(source, target)
    random = np.random.default_rng(1)
    taken = given = 0
    behind_ms = []
    while taken < STREAM_S * source.rate:
        frames = int(random.integers(source.rate // 1_000, source.rate // 50 + 1))
        given += target.frames(len(stream.push(bytes(frames * source.frame_bytes))))
        taken += frames
        if taken > source.rate:  # the start of a stream is not what a listener waits for
            behind_ms.append((taken / source.rate - given / target.rate) * 1_000)
    slow = 97  # Hz: low enough to measure a shift of 5 ms
    late_s = fit(through(method, tone(slow, source.rate, LEVEL), (source.rate, target.rate), FINE), slow, target.rate)
    return Held(min(behind_ms), float(np.mean(behind_ms)), max(behind_ms), late_s.late_s * 1_000)


def memory(method: Method, source_rate: int, target_rate: int, streams: int) -> int | None:
    """Bytes that ``streams`` live streams take. Call it in a fresh process, which has no freed memory to reuse."""
    source, target = AudioFormat(source_rate, USED, 1), AudioFormat(target_rate, USED, 1)
    chunk = bytes(source_rate // 50 * source.frame_bytes)
    method.open(source, target).push(chunk)  # loads modules and tables, which all streams share
    before = resident_bytes()
    held = [method.open(source, target) for _ in range(streams)]
    for stream in held:
        for _ in range(5):
            stream.push(chunk)
    after = resident_bytes()
    return None if before is None or after is None else max(0, after - before)
