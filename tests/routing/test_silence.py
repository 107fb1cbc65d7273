"""WorthHearing: the part of an utterance that an engine gets."""

import pytest

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.routing.silence import LEAD_S, TAIL_S, Piece, Sound, WorthHearing, sound_of

TENTH = 3_200  # bytes of 0.1 s


def heard(pattern: str, *, everything: bool = False) -> str:
    """Feed pieces of 0.1 s named by letters, capital ones being speech; gives those that the engine gets."""
    worth = WorthHearing(SPEECH, everything=everything)
    given: list[bytes] = []
    for letter in pattern:
        sound = Sound.SPEECH if letter.isupper() else Sound.SILENCE
        given += worth.push(Piece(letter.encode() * TENTH, sound))
    given += worth.finish()
    return b"".join(piece[:1] for piece in given).decode()


@pytest.mark.parametrize(
    ("pattern", "given"),
    [
        ("abcdefghXYZ", "defghXYZ"),
        ("abXYZ", "abXYZ"),
        ("XYZabcdefgh", "XYZabc"),
        ("abcdefXghijklmnopYqrstuv", "bcdefXghijklmnopYqrs"),
        ("abcdefgh", ""),
        ("", ""),
    ],
)
def test_silence_before_and_after_speech_is_left_out_and_pauses_are_not(pattern: str, given: str) -> None:
    assert (LEAD_S, TAIL_S) == (0.5, 0.3)
    assert heard(pattern) == given


def test_an_engine_that_wants_everything_gets_it() -> None:
    assert heard("abcdefghXYZabcdefgh", everything=True) == "abcdefghXYZabcdefgh"


@pytest.mark.parametrize(
    ("spoke", "began", "speaks", "sound"),
    [
        (False, False, False, Sound.SILENCE),
        (False, True, True, Sound.SPEECH),
        (True, False, True, Sound.SPEECH),
        (True, False, False, Sound.PAUSE),
        (False, True, False, Sound.PAUSE),  # a short word in a long piece
    ],
)
def test_a_piece_in_which_somebody_spoke_is_no_silence(spoke: bool, began: bool, speaks: bool, sound: Sound) -> None:
    assert sound_of(spoke=spoke, began=began, speaks=speaks) is sound
