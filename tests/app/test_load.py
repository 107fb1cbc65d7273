"""The load of the process, computed from clocks that the test sets."""

import pytest

from irene_wyoming.app.load import LoadMeter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_load_is_the_cpu_time_of_the_last_window() -> None:
    clock, cpu = Clock(), Clock()
    load = LoadMeter(clock, cpu)
    assert load() == 0
    for passed, used, expected in ((0.5, 0.5, 0.0), (0.5, 0.4, 0.9), (0.9, 0.0, 0.9), (1.1, 0.2, 0.1)):
        clock.now += passed
        cpu.now += used
        assert load() == pytest.approx(expected)
