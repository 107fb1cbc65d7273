"""Gates judge rows: a figure at its limit passes, one beyond it fails, one that was not measured does neither."""

from dataclasses import replace

import pytest

from irene_wyoming.bench import fanout, gates
from irene_wyoming.bench.methods import LIVE_LEVELS, absent
from irene_wyoming.bench.rows import Fidelity, Held, ImportRow, MethodRow, Timing
from irene_wyoming.household.alone import alone


def timing(us: float) -> Timing:
    return Timing(us, us, us, 1)


def row(name: str, us: float = 10) -> MethodRow:
    return MethodRow(
        name,
        48_000,
        16_000,
        {20: timing(us)},
        Held(0.42, 0.45, 0.5, 0),
        Fidelity(60, 60, 1.1, 90, 90),
        None,
    )


@pytest.mark.parametrize(("us", "kept"), [(10, True), (10.1, False)])
def test_cost_is_judged_against_the_peers(us: float, kept: bool) -> None:
    gate, *_ = gates.cost_gates([row("fast", us), row("peer", 10)])
    assert (gate.value, gate.kept) == (f"{us / 10:.2f}", kept)


def test_without_the_peers_cost_cannot_be_judged() -> None:
    gate, *_ = gates.cost_gates([row("fast")])
    assert gate.kept is None
    assert "audioop" in gate.value


@pytest.mark.skipif("peer" in absent(), reason="this Python has no audioop")
def test_every_level_is_measured_at_every_rate() -> None:
    found = alone(gates.ratios, 2)
    assert {(level, rate) for _, level, rate in found} == {
        (level, r) for level in LIVE_LEVELS for r in gates.EVERY_RATE
    }
    assert all(ratio > 0 for ratio, _, _ in found)


@pytest.mark.parametrize(
    ("held", "kept"),
    [(Held(0.42, 0.45, 0.5, 0), True), (Held(0.45, 0.5, 0.51, 0), False), (Held(0.0, 0.2, 0.5, 0), False)],
)
def test_what_is_held_back_is_small_and_constant(held: Held, kept: bool) -> None:
    assert [gate.kept for gate in gates.held_gates([replace(row("fast"), held=held)])] == [kept]


def test_aliases_and_ripple_are_judged_by_level() -> None:
    kept = {gate.about: gate.kept for gate in gates.fidelity_gates([row("fast"), row("medium"), row("high")])}
    assert kept == {
        "alias of fast, 48000 Hz": True,
        "ripple of fast, 48000 Hz": True,
        "alias of medium, 48000 Hz": True,
        "ripple of medium, 48000 Hz": False,
        "alias of high, 48000 Hz": False,
        "ripple of high, 48000 Hz": False,
    }


def test_the_core_may_not_load_scipy() -> None:
    assert gates.import_gate(ImportRow("m", 1, ("numpy",))).kept
    assert not gates.import_gate(ImportRow("m", 1, ("numpy", "scipy"))).kept


@pytest.mark.parametrize(("us", "kept"), [(13, True), (13.1, False)])
def test_sixteen_readers_are_judged_against_one(us: float, kept: bool) -> None:
    assert gates.shared_gate({1: timing(10), 16: timing(us)}).kept is kept
    assert alone(fanout.shared, (1, 16), 2).keys() == {1, 16}


@pytest.mark.parametrize(("us", "kept"), [(5, True), (4.9, False)])
def test_a_clip_that_was_converted_before_is_judged_against_converting_it(us: float, kept: bool) -> None:
    assert gates.clip_gate({"hit": timing(1), "miss": timing(us)}).kept is kept
    assert alone(gates.clip_costs, 2).keys() == {"hit", "miss"}
