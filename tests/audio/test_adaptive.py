"""The adaptive level: which filter when, and changing it unheard."""

import numpy as np
import pytest
from numpy.typing import NDArray

from irene_wyoming.audio import fir
from irene_wyoming.audio.adaptive import AdaptivePolicy, AdaptiveResampler
from irene_wyoming.audio.format import Quality


class Load:
    """A load that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def adaptive(policy: AdaptivePolicy, source: int = 48_000, target: int = 16_000) -> AdaptiveResampler:
    return AdaptiveResampler(policy, fir.plan, source, target, 1)


def tones(rate: int, seconds: float, *hz: float) -> NDArray[np.float64]:
    time = np.arange(round(rate * seconds)) / rate
    mixed: NDArray[np.float64] = np.sum([8_000 * np.sin(2 * np.pi * one * time) for one in hz], axis=0)
    return mixed[:, None]


def switched(load: Load, stream: AdaptiveResampler, frames: NDArray[np.float64], piece: int) -> NDArray[np.float64]:
    """The stream's output while the load goes up and down once a second."""
    out = []
    for index, start in enumerate(range(0, len(frames), piece)):
        load.now = float((index * piece // 48_000) % 2)
        out.append(stream.push(frames[start : start + piece]))
    return np.concatenate([*out, stream.flush()])[:, 0]


@pytest.mark.parametrize(
    ("preferred", "easy", "busy"),
    [
        (Quality.FAST, Quality.FAST, Quality.FAST),
        (Quality.MEDIUM, Quality.MEDIUM, Quality.FAST),
        (Quality.HIGH, Quality.HIGH, Quality.MEDIUM),
    ],
)
def test_a_busy_process_takes_a_cheaper_filter(preferred: Quality, easy: Quality, busy: Quality) -> None:
    load = Load()
    policy = AdaptivePolicy(preferred, load)
    assert policy.level(48_000, 16_000) is easy
    load.now = 0.9
    assert policy.level(48_000, 16_000) is busy
    load.now = 0.1
    assert policy.level(48_000, 16_000) is easy


def test_between_busy_and_easy_it_stays_as_it_is() -> None:
    load = Load()
    policy = AdaptivePolicy(Quality.HIGH, load)
    levels = []
    for load.now in (0.7, 0.84, 0.86, 0.7, 0.61, 0.59, 0.7, 0.84):
        levels.append(policy.level(48_000, 16_000))  # the policy remembers: one at a time
    high, medium = Quality.HIGH, Quality.MEDIUM
    assert levels == [high, high, medium, medium, medium, high, high, high]
    assert policy.switches == 2


def test_to_a_higher_rate_the_level_is_medium_at_least() -> None:
    policy = AdaptivePolicy(Quality.FAST)
    assert policy.level(8_000, 16_000) is Quality.MEDIUM
    assert policy.level(48_000, 16_000) is Quality.FAST


def test_a_change_is_told_once_in_the_log_and_to_who_wants_to_know(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    load, told = Load(), list[Quality]()
    policy = AdaptivePolicy(Quality.HIGH, load, told.append)
    load.now = 0.95
    for _ in range(5):
        policy.level(48_000, 16_000)
    assert [record.getMessage() for record in caplog.records] == ["adaptive quality: load 0.95, medium filters"]
    assert told == [Quality.MEDIUM]


@pytest.mark.parametrize("piece", [160, 441, 960, 4_800])
@pytest.mark.parametrize("preferred", [Quality.HIGH, Quality.MEDIUM])
def test_a_change_neither_clicks_nor_shifts_the_audio(preferred: Quality, piece: int) -> None:
    load = Load()
    policy = AdaptivePolicy(preferred, load)
    frames = tones(48_000, 5, 440, 1_000, 5_500)
    out = switched(load, adaptive(policy), frames, piece)
    assert policy.switches >= 3
    exact = tones(16_000, 5, 440, 1_000, 5_500)[:, 0]
    assert len(out) == len(exact)
    error = (out - exact)[800:-800]
    assert 20 * np.log10(np.abs(error).max() / 24_000) < -40  # no more than the cheaper filter's own ripple


def test_a_change_does_not_splatter_a_tone_that_the_filters_treat_differently() -> None:
    load = Load()
    out = switched(load, adaptive(AdaptivePolicy(Quality.MEDIUM, load)), tones(48_000, 4, 7_000), 960)
    spectrum = np.abs(np.fft.rfft(out * np.blackman(len(out))))
    spectrum /= spectrum.max()
    hz = np.fft.rfftfreq(len(out), 1 / 16_000)
    assert 20 * np.log10(spectrum[np.abs(hz - 7_000) > 1_000].max()) < -70


def test_an_adaptive_stream_left_alone_is_exactly_its_preferred_level() -> None:
    frames = np.rint(np.random.default_rng(1).normal(0, 6_000, (20_000, 1)))
    stream = adaptive(AdaptivePolicy(Quality.HIGH))
    out = np.concatenate([*(stream.push(frames[i : i + 777]) for i in range(0, 20_000, 777)), stream.flush()])
    plain = fir.FirStream(fir.plan(48_000, 16_000, Quality.HIGH))
    expected = np.concatenate([plain.push(frames[:, 0]), plain.flush()])
    assert np.array_equal(np.rint(out[:, 0]), np.rint(expected))
