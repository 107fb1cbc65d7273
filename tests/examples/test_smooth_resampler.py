"""The example of a resampling method in its own package keeps the promises of every method."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irene_wyoming.audio.format import method_names
from irene_wyoming.audio.methods import resampler
from tests.examples.installed import installed

NAME = "smooth"


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with installed("smooth_resampler", tmp_path_factory.mktemp("site")):
        yield


def test_it_is_a_quality() -> None:
    assert NAME in method_names()


@settings(max_examples=60)
@given(
    ratio=st.sampled_from([(48_000, 16_000), (44_100, 16_000), (8_000, 16_000), (16_000, 44_100)]),
    channels=st.integers(1, 3),
    cuts=st.lists(st.integers(0, 3_000), max_size=40),
)
def test_what_comes_out_does_not_depend_on_the_cuts(ratio: tuple[int, int], channels: int, cuts: list[int]) -> None:
    frames = np.rint(np.random.default_rng(1).normal(0, 6_000, (3_000, channels)))
    stream = resampler(*ratio, channels, NAME, live=True)
    whole = np.concatenate([stream.push(frames), stream.flush()])
    stream.reset()
    edges = [0, *sorted(cuts), len(frames)]
    pieces = np.concatenate([*(stream.push(frames[a:b]) for a, b in itertools.pairwise(edges)), stream.flush()])
    assert len(whole) == -(-len(frames) * ratio[1] // ratio[0])
    assert np.array_equal(np.rint(whole), np.rint(pieces))


def test_a_tone_stays_a_tone() -> None:
    at = np.arange(8_000) / 8_000
    stream = resampler(8_000, 16_000, 1, NAME, live=True)
    out = np.concatenate([stream.push(1_000 * np.sin(2 * np.pi * 300 * at)[:, None]), stream.flush()])[:, 0]
    wanted = 1_000 * np.sin(2 * np.pi * 300 * np.arange(len(out)) / 16_000)
    assert np.abs(out - wanted)[10:-10].max() < 10
