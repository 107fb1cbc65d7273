"""The decision by itself: the measures that make a command less sure."""

from dataclasses import replace

import numpy as np
import pytest

from irene_wyoming.engines.asr.guided.decision import AGREED, DISAGREED, confidence, left_out, measures
from irene_wyoming.engines.asr.guided.denoise import denoised
from irene_wyoming.engines.asr.guided.meaning import meaning
from irene_wyoming.engines.asr.guided.search import Candidate, Result
from irene_wyoming.engines.asr.guided.sound import RATE, Level, measured

CLEAR = Level(speech_dbfs=-25.0, noise_dbfs=-60.0, clipped=0.0, begins_loud=False, ends_loud=False, highest_hz=7_000.0)


def command(text: str, score: float, said: str = "") -> Candidate:
    return Candidate(text, said or text, score, tuple(range(len(text.split()) + 1)))


def sure(nearest: list[Candidate], open_text: str = "", open_score: float = -1.0, level: Level = CLEAR) -> float:
    found = Result(open_text or nearest[0].said, open_score, (300, 2), tuple(nearest))
    how = measures(found, level)
    assert how is not None
    return confidence(how)


LIGHT = command("turn on the kitchen light", -1.0)


def test_what_was_heard_as_it_is_written_is_sure() -> None:
    assert sure([LIGHT]) > 0.97


def test_nothing_near_has_no_measures() -> None:
    assert measures(Result("hello", -1.0, (300, 2), ()), CLEAR) is None


@pytest.mark.parametrize(
    "doubtful",
    [
        sure([replace(LIGHT, score=-12.0)]),
        sure([LIGHT, command("open the kitchen door", -1.5)]),
        sure([LIGHT], open_text="turn on the kitchen light when somebody comes home"),
        sure([LIGHT], open_text="turn on the kitchen light and the"),
        sure([LIGHT], open_text="Turn on the kitchen light with all."),
        sure([LIGHT], open_text="Turn on the kitchen light wish."),
        sure([LIGHT], level=replace(CLEAR, noise_dbfs=-30.0)),
        sure([LIGHT], level=replace(CLEAR, begins_loud=True)),
        sure([LIGHT], level=replace(CLEAR, ends_loud=True)),
        sure([LIGHT, command("turn off the kitchen light", -3.0)]),
    ],
    ids=[
        "far",
        "another meaning",
        "words left over",
        "unfinished",
        "goes on",
        "goes on with a word",
        "noise",
        "first word cut",
        "last word cut",
        "its opposite",
    ],
)
def test_what_speaks_against_a_command_makes_it_less_sure(doubtful: float) -> None:
    assert doubtful < sure([LIGHT])


def test_a_second_hearing_speaks_for_a_command_or_against_it() -> None:
    found = Result("turn on the kitten light", -1.0, (300, 2), (replace(LIGHT, score=-6.0),))
    alone, agreed, not_agreed = (measures(found, CLEAR, heard) for heard in (0.0, AGREED, DISAGREED))
    assert alone is not None
    assert agreed is not None
    assert not_agreed is not None
    assert confidence(not_agreed) < confidence(alone) < confidence(agreed)


def test_another_wording_of_the_same_speaks_against_nothing() -> None:
    assert sure([LIGHT, command("switch on the kitchen lights", -1.2)]) == sure([LIGHT])


def test_opposites_need_more_distance_than_others() -> None:
    assert sure([LIGHT, command("turn off the kitchen light", -2.5)]) < 0.75
    assert sure([LIGHT, command("turn on the kitchen fan", -2.5)]) > 0.75
    assert sure([LIGHT, command("turn off the kitchen light", -5.0)]) > 0.75


def test_a_syllable_before_lock_may_have_been_unlock() -> None:
    assert sure([command("lock the door", -1.0, "Lock the door.")]) > 0.9
    assert sure([command("lock the door", -1.0, "Please lock the door.")]) > 0.9
    assert sure([command("lock the door", -1.0, "And, lock the door.")]) < 0.5


def test_a_single_word_needs_to_be_clearer() -> None:
    assert sure([command("stop", -6.0)]) < sure([command("stop the timer", -6.0)])


@pytest.mark.parametrize(
    ("heard", "said", "letters"),
    [
        ("Turn on the light.", "turn on the light", 0),
        ("Turn on the lamp.", "turn on the light", 0),
        ("Turn on the light and then call my mother.", "turn on the light", 18 - 5 + 2),
        ("", "turn on the light", 0),
    ],
)
def test_letters_of_more_words_are_counted_those_of_another_spelling_are_not(
    heard: str, said: str, letters: int
) -> None:
    assert abs(left_out(heard, said) - letters) <= 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("turn on the light", "switch on light", True),
        ("turn on the kitchen lights", "turn on kitchen light", True),
        ("set the volume to fifty percent", "set the volume to fifty", True),
        ("turn on the light", "turn off the light", False),
        ("set the volume to fifty", "set the volume to fifteen", False),
        ("can i get a latte", "may i have a latte", True),
    ],
)
def test_meaning_is_in_the_words_that_matter(one: str, other: str, same: bool) -> None:
    assert (meaning(one) == meaning(other)) is same


def test_steady_noise_is_taken_away_and_the_voice_stays() -> None:
    random = np.random.default_rng(1)
    room = random.normal(0, 0.01, 3 * RATE).astype(np.float32)
    tone = np.pad(0.1 * np.sin(2 * np.pi * 400 * np.arange(RATE) / RATE), RATE).astype(np.float32)
    clean = denoised(room + tone)
    assert clean.shape == room.shape
    assert np.std(clean[2_000:14_000]) < 0.8 * np.std(room)
    assert abs(np.std(clean[RATE + 2_000 : 2 * RATE - 2_000]) / np.std(tone[RATE : 2 * RATE]) - 1) < 0.1


def test_levels_of_a_recording() -> None:
    random = np.random.default_rng(1)
    room = random.normal(0, 0.001, 3 * RATE).astype(np.float32)
    voice = np.pad(random.normal(0, 0.1, RATE).astype(np.float32), RATE)
    level = measured(room + voice)
    assert (round(level.speech_dbfs), round(level.noise_dbfs), level.begins_loud) == (-20, -60, False)
    assert measured((room + voice)[RATE + 100 :]).begins_loud
    assert not level.ends_loud
    assert measured((room + voice)[: RATE + RATE // 2]).ends_loud
    assert measured(np.zeros(RATE, np.float32)).speech_dbfs == -100
    assert measured(np.zeros(10, np.float32)).snr_db == 0
