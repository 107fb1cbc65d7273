"""The measures of quality themselves: methods with known figures must get those figures."""

from collections.abc import Callable

import numpy as np
import pytest

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.bench import quality, tones
from irene_wyoming.bench.methods import METHODS, PEER, Method, absent, method


class EveryThird:
    """Converts 48 to 16 kHz by dropping two of three samples, with a delay of ``held`` samples and a ``gain``."""

    def __init__(self, width: int, held: int, gain: float) -> None:
        self._coded = f"<i{width}"
        self._waiting = np.empty(0, self._coded)
        self._held = held
        self._gain = gain

    def push(self, pcm: bytes) -> bytes:
        self._waiting = np.concatenate((self._waiting, np.frombuffer(pcm, self._coded)))
        ready = max(0, len(self._waiting) - self._held) // 3 * 3
        out, self._waiting = self._waiting[:ready:3], self._waiting[ready:]
        return bytes((out * self._gain).astype(self._coded).tobytes())

    def flush(self) -> bytes:
        self._held = 0
        return self.push(bytes(-len(self._waiting) % 3 * 4))

    def timed(self, pcm: bytes) -> Callable[[], object]:
        return lambda: self.push(pcm)


def every_third(held: int = 0, gain: float = 1.0) -> Method:
    def start(source: AudioFormat, target: AudioFormat) -> EveryThird:
        assert (source.rate, target.rate) == (48_000, 16_000)
        return EveryThird(source.width, held, gain)

    return Method("every third", "for tests", start)


def test_without_a_filter_everything_folds_in_and_nothing_else_happens() -> None:
    found = quality.fidelity(every_third(), 48_000, 16_000, tones=5)
    assert found.alias_from_9k_db == pytest.approx(0, abs=0.1)
    assert found.ripple_db < 0.001
    assert found.snr_1k_db > 96  # what 16 bit can hold
    assert found.snr_6k_db is not None
    assert found.snr_6k_db > 96


def test_a_change_of_level_is_ripple() -> None:
    assert quality.fidelity(every_third(gain=0.5), 48_000, 16_000, tones=3).ripple_db == pytest.approx(6.02, abs=0.01)


def test_what_is_held_back_is_counted() -> None:
    held = quality.held(every_third(held=480), 48_000, 16_000)  # 10 ms
    assert (held.min_ms, held.max_ms) == pytest.approx((10, 10), abs=0.1)
    assert held.shift_ms == pytest.approx(0, abs=0.001)


def test_a_sound_that_comes_out_later_than_it_went_in_is_told() -> None:
    sent = np.roll(tones.tone(97, 48_000, 0.5), 48)  # 1 ms
    out = tones.through(every_third(), sent, (48_000, 16_000), 4)
    assert tones.fit(out, 97, 16_000).late_s == pytest.approx(0.001, abs=1e-6)


def test_a_source_without_tones_above_the_band_has_no_aliases() -> None:
    found = quality.fidelity(method("high"), 8_000, 16_000, tones=3)
    assert found.alias_from_9k_db is None
    assert found.snr_6k_db is None


@pytest.mark.parametrize("name", [way.name for way in METHODS])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_every_method_gives_the_whole_tone(name: str, rate: int) -> None:
    if name in absent():
        pytest.skip(f"{name} needs {absent()[name]}")
    found = quality.fidelity(method(name), rate, 16_000, tones=3)
    assert found.ripple_db < 1.1
    assert found.snr_1k_db > 60 or name == "scipy"  # scipy's method ignores the chunk before


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize(
    ("name", "held_ms", "from_9k_db", "from_10k_db", "ripple_db"),
    [("fast", 0.5, 0, 60, 1.1), ("medium", 1.0, 60, 60, 0.1), ("high", 2.0, 90, 90, 0.1)],
)
def test_each_level_keeps_its_promises(
    rate: int, name: str, held_ms: float, from_9k_db: float, from_10k_db: float, ripple_db: float
) -> None:
    held = quality.held(method(name), rate, 16_000)
    assert held.max_ms <= held_ms
    # constant, except for the frame that is not due yet
    assert held.max_ms - held.min_ms <= 1_000 / 16_000 + 1_000 / rate
    found = quality.fidelity(method(name), rate, 16_000, tones=30)
    assert found.alias_from_9k_db is not None
    assert found.alias_from_10k_db is not None
    assert found.alias_from_9k_db >= from_9k_db
    assert found.alias_from_10k_db >= from_10k_db
    assert found.ripple_db <= ripple_db


def test_for_a_whole_recording_nothing_folds_in_above_minus_100_db() -> None:
    for rate in (44_100, 48_000):
        found = quality.fidelity(method("high, whole"), rate, 16_000, tones=20).alias_from_9k_db
        assert found is not None
        assert found >= 100


def test_the_peers_converter_has_no_filter() -> None:
    if PEER in absent():
        pytest.skip("no audioop in this Python")
    found = quality.fidelity(method(PEER), 48_000, 16_000, tones=5)
    assert found.alias_from_9k_db == pytest.approx(0, abs=0.1)
