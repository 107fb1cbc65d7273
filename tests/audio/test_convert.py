"""The converter: streamed equals one-shot, tones stay exact, and nothing above the new band folds in."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import MAX_CHANNELS, SPEECH, WIDTHS, AudioFormat
from irene_wyoming.audio.pcm import encode
from irene_wyoming.errors import UnsupportedFormat

RATES = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000)


def tone(rate: int, hz: float, seconds: float, channels: int = 1, level: float = 0.5) -> np.ndarray:
    """A sine, float32 (frames, channels), the same in every channel."""
    wave = level * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def convert(source: AudioFormat, target: AudioFormat, pcm: bytes, cuts: list[int] | None = None) -> bytes:
    converter = Converter(source, target)
    edges = [0, *(cuts or []), len(pcm)]
    pieces = [converter.push(pcm[a:b]) for a, b in itertools.pairwise(edges)]
    return b"".join([*pieces, converter.flush()])


@settings(max_examples=60)
@given(
    rate=st.sampled_from(RATES),
    width=st.sampled_from(WIDTHS),
    channels=st.integers(1, MAX_CHANNELS),
    cuts=st.lists(st.integers(0, 30_000), max_size=60),
)
def test_the_output_does_not_depend_on_the_cuts(rate: int, width: int, channels: int, cuts: list[int]) -> None:
    source = AudioFormat(rate, width, channels)
    noise = np.random.default_rng(rate).uniform(-1, 1, (30_000 // source.frame_bytes, channels)).astype(np.float32)
    pcm = encode(noise, 1, width)
    cuts = sorted(min(cut, len(pcm)) for cut in cuts)
    assert convert(source, SPEECH, pcm, cuts) == convert(source, SPEECH, pcm)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize("rate", RATES)
def test_a_tone_comes_out_as_the_exact_tone(rate: int, channels: int, width: int) -> None:
    source = AudioFormat(rate, width, channels)
    out = np.frombuffer(convert(source, SPEECH, encode(tone(rate, 1_000, 0.4, channels), 1, width)), "<i2") / 2**15
    exact = tone(16_000, 1_000, 0.4)[:, 0]
    assert len(out) == len(exact)
    middle = slice(1_600, -1_600)
    error = out[middle] - exact[middle]
    assert np.sqrt(np.mean(error**2)) < (0.005 if width == 1 else 3e-5)


@pytest.mark.parametrize("width", WIDTHS)
def test_floats_convert_as_the_same_audio_in_integers_does(width: int) -> None:
    floats, integers = AudioFormat(48_000, 4, 2, floating=True), AudioFormat(48_000, width, 2)
    pcm = encode(tone(48_000, 1_000, 0.2, 2), 1, width)
    as_floats = convert(integers, floats, pcm)
    assert len(as_floats) == len(pcm) // width * 4
    if width < 4:  # a float has 24 bits
        assert convert(floats, integers, as_floats) == pcm
    there = np.frombuffer(convert(floats, SPEECH, as_floats), "<i2").astype(int)
    directly = np.frombuffer(convert(integers, SPEECH, pcm), "<i2").astype(int)
    assert abs(there - directly).max() <= 1


@pytest.mark.parametrize("hz", [9_000, 12_000, 15_000, 20_000])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_tones_above_the_band_do_not_fold_into_speech(rate: int, hz: int) -> None:
    pcm = encode(tone(rate, hz, 0.5), 1, 2)
    out = np.frombuffer(convert(AudioFormat(rate, 2, 1), SPEECH, pcm), "<i2")[1_600:-1_600] / 2**15
    assert 20 * np.log10(np.sqrt(np.mean(out**2)) / (0.5 / np.sqrt(2)) + 1e-9) < -80


def test_equal_formats_pass_the_same_bytes_object() -> None:
    pcm = bytes(640)
    assert Converter(SPEECH, SPEECH).push(pcm) is pcm


def test_an_incomplete_frame_is_kept_for_the_next_push() -> None:
    converter = Converter(SPEECH, SPEECH)
    assert converter.push(b"\x01\x02\x03") == b"\x01\x02"
    assert converter.pending == 1
    assert converter.push(b"\x04") == b"\x03\x04"


def test_ten_minutes_of_44100_hz_do_not_drift() -> None:
    source = AudioFormat(44_100, 2, 1)
    converter = Converter(source, SPEECH)
    second = bytes(44_100 * 2)
    frames = sum(len(converter.push(second)) for _ in range(600)) + len(converter.flush())
    assert frames // 2 == 600 * 16_000


def test_nothing_of_one_utterance_is_heard_in_the_next() -> None:
    source = AudioFormat(48_000, 2, 2)
    loud, quiet = encode(tone(48_000, 400, 0.3, 2), 1, 2), bytes(48_000)
    converter = Converter(source, SPEECH)
    converter.push(loud)
    converter.reset()
    assert not any(converter.push(quiet) + converter.flush())
    converter.push(loud + b"\x01")
    converter.flush()
    assert not any(converter.push(quiet) + converter.flush())


def test_flush_gives_back_what_was_held() -> None:
    source = AudioFormat(48_000, 2, 1)
    converter = Converter(source, SPEECH)
    pushed = converter.push(bytes(48_000 * 2))
    assert len(pushed) < 16_000 * 2
    assert len(pushed) + len(converter.flush()) == 16_000 * 2


def test_flush_of_an_empty_stream_is_empty() -> None:
    assert Converter(AudioFormat(48_000, 2, 1), SPEECH).flush() == b""


@pytest.mark.parametrize(
    ("rate", "width", "channels", "says"),
    [
        (1, 2, 1, "rate 1: expected 8000 to 192000 Hz"),
        (192_001, 2, 1, "rate 192001"),
        (16_000, 5, 1, "width 5: expected 1, 2, 3 or 4"),
        (16_000, 0, 1, "width 0"),
        (16_000, 2, 9, "channels 9: expected 1 to 8"),
        (16_000, 2, 0, "channels 0"),
        ("16000", 2, 1, "rate '16000'"),
        (16_000.0, 2, 1, "rate 16000.0"),
        (True, 2, 1, "rate True"),
        (None, 2, 1, "rate None"),
    ],
)
def test_a_bad_format_cannot_exist(rate: int, width: int, channels: int, says: str) -> None:
    with pytest.raises(UnsupportedFormat, match=says):
        AudioFormat(rate, width, channels)
