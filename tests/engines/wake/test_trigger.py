import math
from collections.abc import Sequence
from typing import Any

import pytest

from irene_wyoming.engines.base import WakeSettings
from irene_wyoming.engines.wake.trigger import Trigger, TriggerSettings, options

STEP = 1280


def hits(trigger: Trigger, scores: Sequence[float]) -> list[int]:
    """The numbers of the steps, from 0, that were hits."""
    return [n for n, score in enumerate(scores) if trigger.update(score, (n + 1) * STEP)]


def test_a_score_at_the_threshold_counts() -> None:
    assert hits(Trigger(0.5, 1, 0), [0.0, 0.49, 0.5, 0.2]) == [2]


def test_the_level_is_counted_in_a_row() -> None:
    assert hits(Trigger(0.5, 3, 0), [0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.0]) == [5]


def test_after_a_hit_the_count_starts_again() -> None:
    assert hits(Trigger(0.5, 2, 0), [0.9] * 5) == [1, 3]


@pytest.mark.parametrize(
    ("scores", "high", "steps"), [([], 1, 3), ([0.9], 1, 2), ([0.9, 0.9], 1, 1), ([0.9, 0.1], 1, 3), ([0.9], 4, 6)]
)
def test_it_tells_how_many_steps_a_hit_takes_at_least(scores: Sequence[float], high: int, steps: int) -> None:
    trigger = Trigger(0.5, 3, 0)
    assert hits(trigger, scores) == []
    assert trigger.steps_to_hit(high) == steps


def test_the_refractory_time_is_audio_time() -> None:
    assert hits(Trigger(0.5, 1, 4 * STEP), [0.9] * 10) == [0, 4, 8]


def test_scores_in_the_refractory_time_do_not_count_towards_the_next_hit() -> None:
    assert hits(Trigger(0.5, 2, 4 * STEP), [0.9] * 10) == [1, 6]


def test_a_score_that_is_no_number_never_counts() -> None:
    assert hits(Trigger(0.5, 1, 0), [math.nan, math.nan]) == []


def test_a_step_below_the_least_level_does_not_count() -> None:
    trigger = Trigger(0.5, 2, 0, min_level_dbfs=-40)
    levels = iter((-41, -40, -50, -30, -20))
    heard = [trigger.update(0.9, n, lambda: next(levels)) for n in range(5)]
    assert heard == [False, False, False, False, True]


def test_what_is_set_for_one_word_goes_before_what_the_engine_is_set_to() -> None:
    engine = TriggerSettings(threshold=0.9, level=2, refractory_frames=0)
    assert hits(engine.trigger(0.5, WakeSettings(threshold=0.6)), [0.7, 0.7]) == [1]
    assert hits(engine.trigger(0.5, WakeSettings(trigger_level=1)), [0.95, 0.7]) == [0]
    assert hits(engine.trigger(0.5, WakeSettings(trigger_level=1, refractory_s=0.16)), [0.95] * 4) == [0, 2]
    soft = engine.trigger(0.5, WakeSettings(min_level_dbfs=-30))
    assert [soft.update(1, n, lambda: -31) for n in range(3)] == [False, False, False]


def test_settings_laid_over_others_keep_what_they_do_not_set() -> None:
    below = WakeSettings(0.5, 2, 1.0, -50.0)
    assert WakeSettings().over(below) == below
    assert WakeSettings(trigger_level=1, min_level_dbfs=-60).over(below) == WakeSettings(0.5, 1, 1.0, -60)


def test_settings_take_the_models_threshold_where_none_is_set() -> None:
    values = {"threshold": None, "trigger_level": 1, "refractory_s": 0.0}
    recommended = TriggerSettings.from_options(values).trigger(0.97)
    own = TriggerSettings.from_options(values | {"threshold": 0.3}).trigger(0.97)
    assert [recommended.update(0.9, 1), own.update(0.9, 1)] == [False, True]


def test_the_refractory_option_is_in_seconds() -> None:
    values = {"threshold": 0.5, "trigger_level": 1, "refractory_s": 1.5}
    assert TriggerSettings.from_options(values).refractory_frames == 24_000


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        ("threshold", None, None),
        ("threshold", 1, 1.0),
        ("threshold", 0.25, 0.25),
        ("trigger_level", 3, 3),
        ("refractory_s", 0, 0.0),
        ("refractory_s", 2.5, 2.5),
    ],
)
def test_options_take(name: str, value: Any, result: Any) -> None:
    assert options("")[name].check(value) == result


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("threshold", 0, "a score, 0.001 to 1"),
        ("threshold", 1.01, "0.001 to 1"),
        ("threshold", math.nan, "a score, 0.001 to 1"),
        ("threshold", True, "a score"),
        ("threshold", "0.5", "a score"),
        ("trigger_level", 0, "steps in a row, 1 to 50"),
        ("trigger_level", 51, "1 to 50"),
        ("trigger_level", 1.5, "steps in a row"),
        ("trigger_level", True, "steps in a row"),
        ("refractory_s", -0.1, "seconds, 0 to 60"),
        ("refractory_s", 61, "0 to 60"),
        ("refractory_s", None, "seconds"),
    ],
)
def test_options_refuse_and_say_what_is_allowed(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(ValueError, match=allowed):
        options("")[name].check(value)


def test_the_defaults_pass_their_own_checks() -> None:
    for option in options("").values():
        assert option.check(option.default) == option.default
