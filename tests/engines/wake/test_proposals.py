from irene_wyoming.engines.base import Score
from irene_wyoming.engines.wake.proposals import MOST_LOOKS, Proposals

RATE = 100
STEP = 8
"""Frames of a step, like the 80 ms of openWakeWord."""


def run(scores: list[float]) -> list[tuple[int, float]]:
    """The steps at which a look is taken, and the score for each."""
    proposals, looks = Proposals(RATE), []
    for number, value in enumerate(scores, 1):
        proposals.scored(Score("word", value, number * STEP))
        looks += [(number, score.score) for score, _ in proposals.due(number * STEP)]
    return looks


def test_ordinary_speech_is_not_looked_at() -> None:
    assert run([0.01, 0.05, 0.19, 0.05] * 20) == []


def test_a_word_is_looked_at_once_it_has_peaked() -> None:
    assert run([0.0, 0.25, 0.4, 0.3, 0.1, 0.0, 0.0, 0.0, 0.0]) == [(5, 0.4)]


def test_a_single_high_step_is_enough() -> None:
    assert run([0.0, 0.3, 0.0, 0.0, 0.0]) == [(4, 0.3)]


def test_a_score_that_goes_on_rising_is_looked_at_in_time_and_again() -> None:
    assert run([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.1, 0.1, 0.1]) == [(5, 0.6), (9, 0.8)]


def test_two_words_are_looked_at_each() -> None:
    assert [step for step, _ in run([0.3, 0.0, 0.0, *[0.0] * 15, 0.3, 0.0, 0.0])] == [3, 21]


def test_looks_at_one_word_are_bounded() -> None:
    rising = [min(1.0, 0.2 + 0.02 * number) for number in range(200)]
    wavy = [value if number % 4 else 0.2 for number, value in enumerate(rising)]
    assert len(run(wavy)) <= MOST_LOOKS


def test_a_usual_hit_is_looked_at_at_once_and_stays_one() -> None:
    proposals = Proposals(RATE)
    proposals.scored(Score("word", 0.3, 8))
    proposals.usual("word", 16, 0.6)
    proposals.scored(Score("word", 0.9, 24))
    assert proposals.due(24) == []
    ((score, usual),) = proposals.due(40)
    assert (score.score, usual) == (0.9, True)


def test_what_follows_a_word_that_was_told_is_its_end() -> None:
    proposals = Proposals(RATE)
    proposals.scored(Score("word", 0.3, 8))
    proposals.over("word")
    assert proposals.due(400) == []


def test_a_usual_word_that_was_refused_is_looked_at_again_once_it_has_peaked() -> None:
    proposals = Proposals(RATE)
    proposals.usual("word", 16, 0.9)
    assert proposals.due(40) == []
    proposals.refused("word")
    assert proposals.due(24) == []
    assert proposals.due(40) == [(Score("word", 0.9, 16), True)]
    assert proposals.due(48) == []
    for frame in range(48, 96, 8):
        proposals.refused("word")
        looks = proposals.due(frame)
    assert looks == []  # the number of looks is bounded


def test_a_word_that_only_a_look_can_tell_is_refused_once() -> None:
    proposals = Proposals(RATE)
    proposals.scored(Score("word", 0.3, 8))
    assert proposals.due(24) == [(Score("word", 0.3, 8), False)]
    proposals.refused("word")
    assert proposals.due(40) == []
