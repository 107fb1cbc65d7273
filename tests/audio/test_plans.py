from collections.abc import Iterator

import numpy as np
import pytest

from irene_wyoming.audio import fir, plans
from irene_wyoming.audio.cache import since
from irene_wyoming.audio.format import Quality


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    plans.clear()
    yield
    plans.clear()


def test_a_plan_is_computed_once_and_shared() -> None:
    before = plans.stats()
    first = plans.fir_plan(48_000, 16_000, Quality.FAST)
    assert plans.fir_plan(48_000, 16_000, Quality.FAST) is first
    period = since(before, plans.stats())
    assert (period.cache_hits, period.cache_misses, period.cache_size) == (1, 1, 1)


def test_each_ratio_and_level_has_its_own() -> None:
    asked = [
        (48_000, 16_000, Quality.FAST),
        (48_000, 16_000, Quality.HIGH),
        (44_100, 16_000, Quality.FAST),
        (16_000, 48_000, Quality.FAST),
    ]
    for source, target, quality in asked:
        kept, computed = plans.fir_plan(source, target, quality), fir.plan(source, target, quality)
        assert (kept.source_rate, kept.target_rate, kept.half) == (source, target, computed.half)
        assert np.array_equal(kept.weights, computed.weights)


def test_warming_computes_what_is_not_yet_there() -> None:
    before = plans.stats()
    assert plans.warm([(48_000, 16_000), (44_100, 16_000)], [Quality.MEDIUM]) == 2
    assert plans.warm([(48_000, 16_000)]) == 2 + len(fir.LEVELS) - 1
    plans.fir_plan(44_100, 16_000, Quality.MEDIUM)
    assert since(before, plans.stats()).cache_misses == 2 + len(fir.LEVELS) - 1


def test_warming_passes_over_what_needs_no_plan() -> None:
    assert plans.warm([(16_000, 16_000), (47_999, 16_000)]) == 0


def test_the_rates_of_sound_cards_are_held_together() -> None:
    rates = (8_000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000)
    conversions = [*((rate, 16_000) for rate in rates), *((16_000, rate) for rate in rates)]
    assert plans.warm(conversions, [Quality.HIGH]) == len(conversions) <= plans.MAX_PLANS
    held = sum(plans.fir_plan(*conversion, Quality.HIGH).nbytes for conversion in conversions)
    assert held < 4 << 20


def test_odd_ratios_without_end_are_forgotten_again() -> None:
    for rate in range(40_000, 40_000 + 400 * (plans.MAX_PLANS + 3), 400):
        plans.fir_plan(rate, 16_000, Quality.FAST)
    assert plans.stats().cache_size == plans.MAX_PLANS
