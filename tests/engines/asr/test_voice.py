"""Voice: speech, pauses and the end of a command, from made-up likelihoods and from the real network."""

from collections.abc import Callable

import pytest

from irene_wyoming.engines.asr.voice import STEP, STEP_BYTES, Voice, VoiceEvent, What, silero
from irene_wyoming.wire.hear import Recording
from tests.speech_around import with_silence

MS = STEP * 1000 // 16_000  # milliseconds of one step


def events(likelihoods: list[float], silence_s: float = 0.7, timeout_s: float = 15.0) -> list[VoiceEvent]:
    """The events of a command, from likelihoods of 32 ms each."""
    given = iter(likelihoods)
    voice = Voice(lambda _: next(given), silence_s, timeout_s)
    return list(voice.push(bytes(STEP_BYTES * len(likelihoods))))


def kinds(found: list[VoiceEvent]) -> list[What]:
    return [event.what for event in found]


def test_a_command_starts_pauses_and_is_over() -> None:
    found = events([0.0] * 10 + [0.9] * 30 + [0.0] * 30)
    assert found == [
        VoiceEvent(What.STARTED, 10 * MS),
        VoiceEvent(What.PAUSED, 40 * MS),
        VoiceEvent(What.OVER, 40 * MS),
    ]


def test_a_pause_within_a_command_does_not_end_it() -> None:
    found = events([0.9] * 20 + [0.0] * 15 + [0.9] * 20 + [0.0] * 30)
    assert kinds(found) == [What.STARTED, What.PAUSED, What.STARTED, What.PAUSED, What.OVER]


def test_a_click_is_no_speech_and_a_dip_no_pause() -> None:
    assert events([0.0] * 5 + [0.9] * 3 + [0.0] * 40) == []
    assert kinds(events([0.9] * 10 + [0.4] * 20 + [0.9] * 10)) == [What.STARTED]
    assert kinds(events([0.9] * 10 + [0.0] * 6 + [0.9] * 10)) == [What.STARTED]


@pytest.mark.parametrize(("silence_s", "steps"), [(0.25, 8), (0.7, 22), (1.25, 40)])
def test_the_silence_that_ends_a_command_is_as_long_as_asked_for(silence_s: float, steps: int) -> None:
    assert What.OVER not in kinds(events([0.9] * 20 + [0.0] * (steps - 1), silence_s))
    assert What.OVER in kinds(events([0.9] * 20 + [0.0] * steps, silence_s))


@pytest.mark.parametrize("likelihood", [0.0, 0.9])
def test_nobody_is_listened_to_for_ever(likelihood: float) -> None:
    assert kinds(events([likelihood] * 100, timeout_s=2.0))[-1] == What.OVER


@pytest.mark.parametrize("size", [2, 1000, 3200, 100_000])
def test_the_cut_of_the_audio_changes_nothing(speech: Callable[[str], Recording], size: int) -> None:
    pcm = with_silence(speech("asr/set_a_timer_for_five_minutes").pcm)
    make = silero()
    whole = list(Voice(make(), 0.7, 15).push(pcm))
    voice = Voice(make(), 0.7, 15)
    assert [event for start in range(0, len(pcm), size) for event in voice.push(pcm[start : start + size])] == whole
    assert kinds(whole)[0] == What.STARTED
    assert kinds(whole)[-1] == What.OVER
