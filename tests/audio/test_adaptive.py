"""The adaptive level: the choice of a filter for each stream."""

import numpy as np
import pytest
from numpy.typing import NDArray

from irene_wyoming.audio import fir
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import Quality
from irene_wyoming.audio.methods import resampler


class Load:
    """A load that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


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
        levels.append(policy.level(48_000, 16_000))  # the policy has a memory, so one level at a time
    high, medium = Quality.HIGH, Quality.MEDIUM
    assert levels == [high, high, medium, medium, medium, high, high, high]


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


def test_a_stream_keeps_the_level_that_it_opened_with() -> None:
    """A stream keeps its level bit for bit, whatever the load does; the next stream gets another level."""
    frames = np.rint(np.random.default_rng(1).normal(0, 6_000, (20_000, 1)))
    load = Load()
    policy = AdaptivePolicy(Quality.HIGH, load)
    opened = resampler(48_000, 16_000, 1, policy, live=True)
    load.now = 1.0
    out = np.concatenate([*(opened.push(frames[i : i + 777]) for i in range(0, 20_000, 777)), opened.flush()])
    assert np.array_equal(np.rint(out[:, 0]), np.rint(plain(frames, Quality.HIGH)))
    later = resampler(48_000, 16_000, 1, policy, live=True)
    assert np.array_equal(np.concatenate([later.push(frames), later.flush()])[:, 0], plain(frames, Quality.MEDIUM))


def plain(frames: NDArray[np.float64], level: Quality) -> NDArray[np.float64]:
    stream = fir.FirStream(fir.plan(48_000, 16_000, level))
    return np.concatenate([stream.push(frames[:, 0]), stream.flush()])
