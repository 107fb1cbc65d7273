"""Promises of every resampling method, registered ones included, and of each quality level."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from irene_wyoming.audio.fir import LEVELS
from irene_wyoming.audio.format import LINEAR, SOXR, Quality, method_names
from irene_wyoming.audio.methods import registered, resampler
from irene_wyoming.audio.resample import FirResampler, Resampler, SoxrResampler
from irene_wyoming.errors import AudioError

RATIOS = [
    (48_000, 16_000),
    (44_100, 16_000),
    (8_000, 16_000),
    (11_025, 16_000),
    (22_050, 16_000),
    (192_000, 16_000),
    (16_000, 48_000),
    (16_000, 44_100),
    (12_345, 16_000),  # its table would not be small, so soxr's filter is used
]
METHODS = method_names()


def one_shot(stream: Resampler, frames: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([stream.push(frames), stream.flush()])


def in_pieces(stream: Resampler, frames: NDArray[np.float64], cuts: list[int]) -> NDArray[np.float64]:
    edges = [0, *sorted(min(cut, len(frames)) for cut in cuts), len(frames)]
    return np.concatenate([*(stream.push(frames[a:b]) for a, b in itertools.pairwise(edges)), stream.flush()])


def noise(frames: int, channels: int = 1) -> NDArray[np.float64]:
    """Noise in whole 16-bit steps, as decoded audio has them."""
    return np.rint(np.random.default_rng(frames).normal(0, 6_000, (frames, channels)))


def tone(rate: int, hz: float, seconds: float = 0.5) -> NDArray[np.float64]:
    return 10_000 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)[:, None]


def level_db(out: NDArray[np.float64], of: float = 10_000) -> float:
    """RMS of the middle of a tone in dB, relative to a tone of that amplitude."""
    middle = out[len(out) // 4 : -len(out) // 4]
    return float(20 * np.log10(np.sqrt(np.mean(middle**2)) / (of / np.sqrt(2)) + 1e-12))


@settings(max_examples=60)
@given(
    method=st.sampled_from(METHODS),
    ratio=st.sampled_from(RATIOS),
    channels=st.integers(1, 3),
    cuts=st.lists(st.integers(0, 6_000), max_size=40),
)
def test_what_comes_out_does_not_depend_on_the_cuts(
    method: str, ratio: tuple[int, int], channels: int, cuts: list[int]
) -> None:
    frames = noise(6_000, channels)
    whole = one_shot(resampler(*ratio, channels, method, live=True), frames)
    pieces = in_pieces(resampler(*ratio, channels, method, live=True), frames, cuts)
    assert whole.shape == pieces.shape
    assert np.array_equal(np.rint(whole), np.rint(pieces))


@pytest.mark.parametrize("method", METHODS)
def test_one_frame_at_a_time_gives_the_same(method: str) -> None:
    frames = noise(500)
    whole = one_shot(resampler(44_100, 16_000, 1, method, live=True), frames)
    single = in_pieces(resampler(44_100, 16_000, 1, method, live=True), frames, list(range(500)))
    assert np.array_equal(np.rint(whole), np.rint(single))


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("method", METHODS)
def test_a_tone_keeps_its_level_and_its_place(method: str, ratio: tuple[int, int], live: bool) -> None:
    source, target = ratio
    out = one_shot(resampler(source, target, 1, method, live=live), tone(source, 1_000))
    exact = tone(target, 1_000)[: len(out)]
    assert abs(len(out) - len(exact)) <= 1
    error = level_db(out - exact)
    assert error < {LINEAR: -25, Quality.FAST: -43}.get(method, -50)


@pytest.mark.parametrize("method", METHODS)
def test_an_hour_of_44100_hz_does_not_drift(method: str) -> None:
    stream = resampler(44_100, 16_000, 1, method, live=True)
    minute = np.zeros((44_100 * 60, 1))
    frames = sum(len(stream.push(minute)) for _ in range(60)) + len(stream.flush())
    assert frames == 3_600 * 16_000


@pytest.mark.parametrize("method", METHODS)
def test_a_reset_stream_is_a_fresh_one(method: str) -> None:
    stream = resampler(48_000, 16_000, 2, method, live=True)
    stream.push(noise(5_000, 2))
    stream.reset()
    frames = noise(3_000, 2)
    fresh = resampler(48_000, 16_000, 2, method, live=True)
    assert np.array_equal(one_shot(stream, frames), one_shot(fresh, frames))


@pytest.mark.parametrize("method", METHODS)
def test_nothing_in_gives_nothing_out(method: str) -> None:
    stream = resampler(48_000, 16_000, 1, method, live=True)
    assert stream.push(np.zeros((0, 1))).shape == (0, 1)
    assert stream.flush().shape == (0, 1)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("method", [method for method in METHODS if method != SOXR])
def test_a_live_stream_never_holds_back_more_than_it_says(method: str, rate: int) -> None:
    stream = resampler(rate, 16_000, 1, method, live=True)
    taken = given_out = 0
    held = []
    for size in itertools.islice(itertools.cycle([1, 160, 441, 1024, 7]), 200):
        taken += size
        given_out += len(stream.push(np.zeros((size, 1))))
        held.append(taken / rate - given_out / 16_000)
    assert max(held) <= stream.delay_s + 1e-9


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize(
    ("level", "delay_ms", "stops_from", "rejects_db", "ripple_db"),
    [
        (Quality.FAST, 0.5, 10_000, 60, 1.1),
        (Quality.MEDIUM, 1.0, 9_000, 60, 0.1),
        (Quality.HIGH, 2.0, 9_000, 90, 0.1),
    ],
)
def test_a_level_keeps_its_promise(
    level: Quality, delay_ms: float, stops_from: int, rejects_db: float, ripple_db: float, rate: int
) -> None:
    stream = resampler(rate, 16_000, 1, level, live=True)
    assert isinstance(stream, FirResampler)
    assert stream.delay_s * 1000 <= delay_ms
    for hz in range(100, 7_001, 300):
        stream.reset()
        assert abs(level_db(one_shot(stream, tone(rate, hz)))) <= ripple_db, f"{hz} Hz"
    for hz in (*range(stops_from, 15_000, 250), *range(15_000, rate // 2, 1_000)):
        stream.reset()
        assert level_db(one_shot(stream, tone(rate, hz))) <= -rejects_db, f"{hz} Hz"


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_whole_recording_is_converted_with_100_db(rate: int) -> None:
    stream = resampler(rate, 16_000, 1, Quality.HIGH, live=False)
    assert isinstance(stream, SoxrResampler)
    out = one_shot(stream, tone(rate, 1_000))
    assert level_db(out - tone(16_000, 1_000)) <= -100
    for hz in (9_000, 12_000, 20_000):
        stream.reset()
        assert level_db(one_shot(stream, tone(rate, hz))) <= -100


def test_every_rate_has_a_live_method() -> None:
    for rate in range(8_000, 192_001, 1_777):
        if rate != 16_000:
            stream = resampler(rate, 16_000, 1, Quality.MEDIUM, live=True)
            assert abs(len(one_shot(stream, np.zeros((rate // 10, 1)))) - 1_600) <= 2


def test_an_unknown_method_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(AudioError, match=r"'sinc8'.*fast, medium, high, adaptive, linear, soxr"):
        resampler(48_000, 16_000, 1, "sinc8", live=True)
    with pytest.raises(AudioError):
        registered("sinc8")


def test_all_levels_can_be_named() -> None:
    assert set(LEVELS) < set(METHODS)


@pytest.fixture(autouse=True)
def no_warnings_from_numpy() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield
