import random

import pytest

from irene_wyoming.capture.clock import SampleClock


def test_blocks_that_arrive_on_time_are_stamped_with_their_beginning() -> None:
    clock = SampleClock(16_000)
    assert [clock.arrived(320, 100.02 + n * 0.02) for n in range(4)] == [100_000, 100_020, 100_040, 100_060]
    assert clock.position == 1280


@pytest.mark.parametrize("ppm", [-200, 0, 200])
def test_an_hour_of_late_arrivals_and_a_drifting_card_stays_within_milliseconds(ppm: int) -> None:
    clock, late = SampleClock(16_000), random.Random(7)
    errors = []
    for n in range(1, 180_001):  # 20 ms each, up to 15 ms late
        captured = n * 0.02 * (1 + ppm / 1e6)
        ms = clock.arrived(320, captured + late.uniform(0, 0.015))
        errors.append(ms - (captured - 0.02) * 1000)
    assert max(errors[100:]) < 6
    assert min(errors) > -2


def test_a_burst_does_not_turn_time_back() -> None:
    clock = SampleClock(16_000)
    stamps = [clock.arrived(frames, now) for frames, now in [(320, 1.0), (16_000, 1.01), (320, 1.02), (320, 1.04)]]
    assert stamps == sorted(stamps)


def test_a_stream_that_was_stopped_goes_on_at_the_present_time() -> None:
    clock = SampleClock(16_000)
    clock.arrived(320, 10.02)
    assert clock.arrived(320, 15.02) == 15_000
    assert clock.arrived(320, 15.04) == 15_020


def test_frames_that_were_lost_are_skipped_by_as_much_as_the_block_is_late() -> None:
    clock = SampleClock(16_000)
    clock.arrived(320, 10.02)
    clock.lost(320, 10.14)  # would have been due at 10.04
    assert clock.position == 320 + 1600
    assert clock.arrived(320, 10.14) == 10_120


def test_nothing_is_skipped_before_the_first_block_nor_for_one_that_is_not_late() -> None:
    clock = SampleClock(16_000)
    clock.lost(320, 10.0)
    clock.arrived(320, 10.02)
    clock.lost(320, 10.03)
    assert clock.position == 320
