"""Unknown models run in a child process, which may crash."""

import pytest

from irene_wyoming.engines.wake.microwakeword.engine import TRIAL
from irene_wyoming.engines.wake.openwakeword.words import TFLITE
from irene_wyoming.engines.wake.probe import probe
from irene_wyoming.engines.wake.trials import check
from irene_wyoming.errors import EngineFailed
from tests.engines.wake.models import CRASHING, MICRO_WORD, OWN_WORD


def test_a_model_that_crashes_the_child_does_not_take_the_others_along() -> None:
    reasons = probe(TFLITE, [OWN_WORD, bytes(CRASHING), b"TFL3TFL3", OWN_WORD])
    assert (reasons[0], reasons[3]) == (None, None)
    assert reasons[1] == "crashes the program that runs it (SIGSEGV)"
    assert reasons[2] == "a damaged TensorFlow Lite model; get the file again"


def test_each_engine_tries_its_own_kind() -> None:
    assert probe(TRIAL, [MICRO_WORD]) == [None]
    (reason,) = probe(TRIAL, [OWN_WORD])
    assert reason is not None
    assert reason.startswith("another kind of model: input of shape (1, 16, 96)")


def test_nothing_to_try_starts_nothing() -> None:
    assert probe(TFLITE, []) == []


def test_a_child_that_cannot_work_is_told() -> None:
    assert probe("no such kind", [OWN_WORD]) == ["could not be tried out: exit code 1"]


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf")])
def test_what_is_no_score_is_refused(score: float) -> None:
    with pytest.raises(EngineFailed, match="gives a score of"):
        check(score)
