import pytest

from irene_wyoming.engines.base import Score
from irene_wyoming.tune.thresholds import THRESHOLDS, Heard, TunePoint, bound_per_hour, recommended, tune

STEP = 1280


def heard(*scores: float, seconds: float = 3600) -> Heard:
    return Heard("one", seconds, tuple(Score("w", score, (n + 1) * STEP) for n, score in enumerate(scores)))


def test_a_recording_is_decided_upon_as_the_server_would() -> None:
    recording = heard(0.6, 0.7, 0.2, 0.9)
    assert recording.peak == 0.9
    assert recording.hits(0.5, 1, 2.0) == 1
    assert recording.hits(0.5, 1, 0.0) == 3
    assert recording.hits(0.5, 2, 0.0) == 1
    assert recording.hits(0.95, 1, 0.0) == 0


def test_false_accepts_are_counted_per_hour_and_recall_per_recording() -> None:
    words = [heard(0.9, seconds=2), heard(0.4, seconds=2)]
    result = tune("w", "e", words, [heard(0.7, *([0] * 30), 0.7), heard(0.1)], allowed_per_hour=0)
    point = {(p.threshold, p.trigger_level): p for p in result.points}[0.6, 1]
    assert (point.recall, point.false_accepts, point.false_per_hour) == (0.5, 2, 1.0)
    assert result.best is not None
    assert 0.7 < result.best.threshold <= 0.9
    assert (result.best.recall, result.missed) == (0.5, ("one",))


def test_more_words_are_heard_where_some_false_accepts_are_allowed() -> None:
    words = [heard(0.9), heard(0.4)]
    best = tune("w", "e", words, [heard(0.5)], allowed_per_hour=1).best
    assert best is not None
    assert best.recall == 1
    assert best.threshold <= 0.4


def test_a_higher_level_is_taken_only_where_it_helps() -> None:
    words = [heard(0.9, 0.9, 0.9)]
    assert tune("w", "e", words, [heard(0.1)], allowed_per_hour=0).best.trigger_level == 1  # type: ignore[union-attr]
    best = tune("w", "e", words, [heard(1.0)], allowed_per_hour=0).best
    assert best is not None
    assert best.trigger_level == 2


def test_where_nothing_does_nothing_is_recommended() -> None:
    assert tune("w", "e", [heard(0.01)], [heard(0.0)], allowed_per_hour=0).best is None
    assert recommended([TunePoint(0.5, 1, 1.0, 9, 9.0)], 1.0) is None


def test_the_threshold_stands_off_both_sides() -> None:
    def points(low: float) -> list[TunePoint]:
        return [TunePoint(t, 1, 1.0 if t <= 0.9 else 0.5, 0, 0.0) for t in THRESHOLDS if t >= low]

    bounded, unbounded = recommended(points(0.5), 0), recommended(points(0.0), 0)
    assert bounded is not None
    assert unbounded is not None
    assert bounded.threshold == 0.7
    assert unbounded.threshold == 0.7


@pytest.mark.parametrize(("false", "expected"), [(0, 3.0), (1, 4.74), (100, 121.6)])
def test_few_false_accepts_prove_little(false: int, expected: float) -> None:
    assert bound_per_hour(false, 1.0) == pytest.approx(expected)
