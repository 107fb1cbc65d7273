import numpy as np
import pytest
from numpy.typing import NDArray

from irene_wyoming.audio.meter import SILENCE_DBFS, Meter

RATE = 16_000


def sine(dbfs: float, seconds: float, rate: int = RATE) -> NDArray[np.int16]:
    """A sine with a root mean square at this level."""
    time = np.arange(round(seconds * rate)) / rate
    return np.rint(np.sin(2 * np.pi * 400 * time) * 2**15 * 10 ** ((dbfs + 3.01) / 20)).astype(np.int16)


def metered(*parts: NDArray[np.int16], cut: int = 1280) -> Meter:
    meter = Meter(RATE)
    samples = np.concatenate(parts)
    for at in range(0, len(samples), cut):
        meter.push(samples[at : at + cut])
    return meter


def figures(meter: Meter) -> tuple[float, ...]:
    return (meter.level_dbfs, meter.peak_dbfs, meter.floor_dbfs, meter.snr_db, meter.clipped)


def test_a_fresh_meter_and_one_that_heard_nothing_say_silence() -> None:
    assert figures(Meter(RATE)) == (SILENCE_DBFS, SILENCE_DBFS, SILENCE_DBFS, 0, 0)
    assert figures(metered(np.zeros(RATE, np.int16))) == figures(Meter(RATE))


@pytest.mark.parametrize("level", [-50, -20, -6])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_a_steady_tone_has_its_level_and_its_peak(level: float, rate: int) -> None:
    meter = Meter(rate)
    meter.push(sine(level, 2, rate))
    assert meter.level_dbfs == pytest.approx(level, abs=0.2)
    assert meter.peak_dbfs == pytest.approx(level + 3, abs=0.2)
    assert meter.snr_db == pytest.approx(0, abs=0.2)


def test_the_silence_around_a_word_does_not_make_it_softer() -> None:
    meter = metered(sine(-60, 3), sine(-20, 0.6), sine(-60, 0.2))
    assert meter.level_dbfs == pytest.approx(-20, abs=0.5)
    assert meter.floor_dbfs == pytest.approx(-60, abs=0.5)
    assert meter.snr_db == pytest.approx(40, abs=0.5)


def test_only_the_window_counts_for_the_level_and_the_last_ten_seconds_for_the_noise() -> None:
    meter = metered(sine(-60, 1), sine(-6, 5), sine(-40, 1.1))
    assert meter.level_dbfs == pytest.approx(-40, abs=0.2)
    assert meter.peak_dbfs == pytest.approx(-37, abs=0.2)
    assert meter.floor_dbfs == pytest.approx(-60, abs=0.5)
    meter.push(sine(-40, 10))
    assert meter.floor_dbfs == pytest.approx(-40, abs=0.2)


@pytest.mark.parametrize("cut", [1, 160, 479, 16_000])
def test_the_figures_never_depend_on_the_cuts(cut: int) -> None:
    parts = (sine(-60, 0.5), sine(-10, 0.3), np.full(77, -32_768, np.int16))
    assert figures(metered(*parts, cut=cut)) == figures(metered(*parts))


def test_samples_at_full_scale_on_either_side_are_counted() -> None:
    clipped = np.r_[np.full(3, 32_767), np.zeros(300), np.full(2, -32_768), np.zeros(335)].astype(np.int16)
    meter = metered(clipped, sine(-6, 1))
    assert meter.clipped == 5
    assert metered(sine(-3.1, 1)).clipped == 0


def test_the_lowest_sample_is_no_louder_than_full_scale() -> None:
    assert metered(np.full(RATE, -32_768, np.int16)).level_dbfs == pytest.approx(0, abs=0.001)
