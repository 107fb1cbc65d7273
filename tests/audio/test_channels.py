"""Channel choice: exact, independent of the cuts, never a click, and the channel with the voice in it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from irene_wyoming.audio.channels import LoudestMixer, mixer
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import FIRST, LOUDEST, MEAN, SPEECH, AudioFormat, Mix
from irene_wyoming.audio.pcm import encode
from irene_wyoming.errors import UnsupportedFormat

STEREO = AudioFormat(48_000, 2, 2)
RATE = STEREO.rate


def voice(seconds: float, level: float) -> NDArray[np.float64]:
    """Syllables: a tone that comes and goes four times a second."""
    t = np.arange(round(seconds * RATE)) / RATE
    spoken: NDArray[np.float64] = level * np.sin(2 * np.pi * 300 * t) * np.clip(np.sin(2 * np.pi * 4 * t), 0, None)
    return spoken


def noise(seconds: float, level: float, seed: int = 1) -> NDArray[np.float64]:
    return level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def chosen(*channels: NDArray[np.float64]) -> int:
    loudest = LoudestMixer(RATE, len(channels))
    loudest.push(np.stack(channels, axis=1))
    return loudest.chosen


@pytest.mark.parametrize(("mix", "expected"), [(FIRST, 100), (0, 100), (1, -300), (2, 500), (MEAN, 100)])
def test_one_channel_is_taken_as_it_is(mix: Mix, expected: int) -> None:
    source = AudioFormat(16_000, 2, 3)
    pcm = np.tile(np.array([100, -300, 500], "<i2"), 40).tobytes()
    out = Converter(source, SPEECH, mix=mix).push(pcm)
    assert np.frombuffer(out, "<i2").tolist() == [expected] * 40


def test_a_channel_that_is_not_there_is_refused_by_its_index() -> None:
    with pytest.raises(UnsupportedFormat, match="mix 2: 48000 Hz 16 bit stereo has the channels 0 to 1"):
        Converter(STEREO, SPEECH, mix=2)


@pytest.mark.parametrize("mix", [MEAN, FIRST, LOUDEST, 7])
def test_one_channel_needs_no_choice(mix: Mix) -> None:
    pcm = encode(noise(0.1, 0.1)[:, None], 1, 2)
    assert Converter(AudioFormat(RATE, 2, 1), AudioFormat(RATE, 3, 1), mix=mix).push(pcm)


def test_where_the_channel_count_stays_nothing_is_mixed() -> None:
    pcm = encode(np.stack((noise(0.1, 0.1), noise(0.1, 0.1, 2)), axis=1), 1, 2)
    target = AudioFormat(RATE, 3, 2)
    assert Converter(STEREO, target, mix=1).push(pcm) == Converter(STEREO, target).push(pcm)


@settings(max_examples=40)
@given(mix=st.sampled_from([FIRST, 1, LOUDEST]), cuts=st.lists(st.integers(0, 200_000), max_size=40))
def test_the_output_does_not_depend_on_the_cuts(mix: Mix, cuts: list[int]) -> None:
    quiet, loud = voice(1.0, 0.05) + noise(1.0, 0.001), voice(1.0, 0.5) + noise(1.0, 0.001, 2)
    pcm = encode(np.stack((quiet, loud), axis=1), 1, 2)
    converter, whole = Converter(STEREO, SPEECH, mix=mix), Converter(STEREO, SPEECH, mix=mix)
    edges = [0, *sorted(min(cut, len(pcm)) for cut in cuts), len(pcm)]
    cut = b"".join(converter.push(pcm[a:b]) for a, b in itertools.pairwise(edges)) + converter.flush()
    assert cut == whole.push(pcm) + whole.flush()


def test_the_louder_voice_is_taken() -> None:
    room = noise(2.0, 0.001)
    assert chosen(voice(2.0, 0.02) + room, voice(2.0, 0.3) + room) == 1
    assert chosen(voice(2.0, 0.3) + room, voice(2.0, 0.02) + room) == 0


def test_a_channel_that_only_hums_hisses_or_is_offset_is_not() -> None:
    hum = 0.5 * np.sin(2 * np.pi * 50 * np.arange(2 * RATE) / RATE)
    for dead in (hum, noise(2.0, 0.3), np.full(2 * RATE, 0.9)):
        assert chosen(dead, voice(2.0, 0.1) + noise(2.0, 0.001)) == 1


def test_voices_of_equal_loudness_and_silence_change_nothing() -> None:
    room = noise(3.0, 0.001)
    assert chosen(voice(3.0, 0.3) + room, voice(3.0, 0.35) + room) == 0
    assert chosen(noise(3.0, 0.001), noise(3.0, 0.001, 2)) == 0


def test_a_change_does_not_click() -> None:
    loudest = LoudestMixer(RATE, 2)
    carrier = np.sin(2 * np.pi * 300 * np.arange(2 * RATE) / RATE)
    beat = np.clip(np.sin(2 * np.pi * 4 * np.arange(2 * RATE) / RATE), 0, None)
    out = loudest.push(np.stack((0.05 * carrier * beat, 0.5 * carrier * beat), axis=1))
    assert loudest.chosen == 1
    steepest = 0.5 * 2 * np.pi * 300 / RATE
    assert abs(np.diff(out[:, 0])).max() < 1.1 * steepest


def test_a_new_stream_begins_with_the_first_channel() -> None:
    loudest = LoudestMixer(RATE, 2)
    frames = np.stack((voice(1.0, 0.02), voice(1.0, 0.3)), axis=1)
    once = loudest.push(frames)
    loudest.reset()
    assert loudest.chosen == 0
    assert np.array_equal(loudest.push(frames), once)


def test_no_frames_give_none() -> None:
    assert mixer(LOUDEST, STEREO).push(np.zeros((0, 2))).shape == (0, 1)
