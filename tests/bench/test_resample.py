"""The comparison as a whole: every method gets a row from processes of its own."""

import os

import pytest

from irene_wyoming.bench import resample
from irene_wyoming.bench.methods import METHODS, absent
from irene_wyoming.bench.timing import interleaved
from irene_wyoming.household.alone import ONE_THREAD, alone

FEW = resample.Effort(rounds=3, tones=3, streams=0)


def settings() -> list[str | None]:
    return [os.environ.get(name) for name in ONE_THREAD]


def test_a_measurement_has_a_process_with_one_thread() -> None:
    assert alone(os.getpid) != os.getpid()
    assert alone(settings) == ["1"] * len(ONE_THREAD)


def test_every_method_that_is_here_gets_a_row() -> None:
    names = [way.name for way in METHODS if way.name not in absent()]
    rows = resample.measure(names, 48_000, 16_000, (20, 80), FEW)
    assert [row.method for row in rows] == names
    for row in rows:
        assert list(row.cost) == [20, 80]
        for timing in row.cost.values():
            assert 0 < timing.least_us <= timing.median_us <= timing.p99_us
            assert timing.rounds == FEW.rounds


def test_memory_is_that_of_the_streams() -> None:
    taken = resample.memory("high", 48_000, 16_000, 300)
    if taken is None:
        pytest.skip("this system does not tell a process's memory")
    assert 300 * 1_000 < taken < 300 * 40_000


def test_costs_are_taken_in_turns() -> None:
    order: list[str] = []
    interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=2, in_a_row=2)
    assert "".join(order) == "aabb" + "aabb" + "bbaa"  # the first time untimed
