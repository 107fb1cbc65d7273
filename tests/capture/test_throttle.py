"""The pace at which a program's audio is taken."""

import pytest

from irene_wyoming.capture.throttle import BURST_S, Throttle


@pytest.mark.parametrize("drift", [0.9998, 1.0, 1.0002])
def test_a_day_of_a_sound_card_never_waits(drift: float) -> None:
    throttle = Throttle()
    assert not any(throttle.arrived(0.1 * drift, step * 0.1) for step in range(864_000))


def test_what_was_said_during_a_pause_comes_at_once() -> None:
    throttle = Throttle()
    for step in range(1_000):
        throttle.arrived(0.1, step * 0.1)
    assert throttle.arrived(BURST_S, 100 + BURST_S) == 0


def test_who_writes_without_end_is_taken_at_the_pace_of_speech() -> None:
    throttle = Throttle()
    now, taken_s = 0.0, 0.0
    while taken_s < 1_000:
        now += throttle.arrived(2.0, now)
        taken_s += 2.0
    assert now == pytest.approx((1_000 - BURST_S) / 1.01, abs=2)
