"""PCM coding and remixing."""

import numpy as np
import pytest

from irene_wyoming.audio.format import WIDTHS
from irene_wyoming.audio.pcm import decode, decode_float, encode, encode_float, full_scale, remix


@pytest.mark.parametrize("width", [1, 2, 3])
def test_every_sample_value_survives_decode_and_encode(width: int) -> None:
    if width == 3:
        pcm = np.random.default_rng(1).integers(0, 256, 3 * 30_000, "u1").tobytes() + b"\x00\x00\x80\xff\xff\x7f"
    else:
        pcm = np.arange(2 ** (8 * width), dtype="<u4").astype(f"<u{width}").tobytes()
    assert encode(decode(pcm, width, 1), full_scale(width), width) == pcm


def test_every_32_bit_sample_survives_too() -> None:
    pcm = np.random.default_rng(2).integers(-(2**31), 2**31, 10_000, np.int64).astype("<i4").tobytes()
    assert encode(decode(pcm, 4, 1), full_scale(4), 4) == pcm


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_louder_than_full_scale_is_clipped(width: int) -> None:
    loud = np.array([[2.0], [-2.0], [1.0], [-1.0]], np.float32)
    back = decode(encode(loud, 1, width), width, 1)[:, 0] / full_scale(width)
    assert back == pytest.approx([1, -1, 1, -1], abs=2.0 ** -(8 * width - 1))
    assert back[1] == -1.0


@pytest.mark.parametrize("width", WIDTHS)
def test_channels_are_interleaved(width: int) -> None:
    frames = np.array([[0.25, -0.5], [0.75, 0.0]], np.float32)
    decoded = decode(encode(frames, 1, width), width, 2) / full_scale(width)
    assert decoded == pytest.approx(frames, abs=2.0 ** -(8 * width - 1))


def test_the_mean_of_two_loud_channels_does_not_clip() -> None:
    frames = decode(np.array([20_000, 20_000, -20_000, -20_000], "<i2").tobytes(), 2, 2)
    assert np.frombuffer(encode(remix(frames, 1), full_scale(2), 2), "<i2").tolist() == [20_000, -20_000]


@pytest.mark.parametrize(("have", "want"), [(1, 2), (2, 1), (8, 1), (8, 2), (1, 8), (2, 6)])
def test_remix_gives_the_mean_to_every_channel(have: int, want: int) -> None:
    frames = np.random.default_rng(3).uniform(-1, 1, (50, have)).astype(np.float32)
    out = remix(frames, want)
    assert out.shape == (50, want)
    assert out == pytest.approx(np.repeat(frames.mean(axis=1, keepdims=True), want, axis=1), abs=1e-6)


def test_nothing_in_gives_nothing_out() -> None:
    assert encode(remix(decode(b"", 3, 5), 2), full_scale(3), 2) == b""


def test_floats_survive_decode_and_encode_also_beyond_full_scale() -> None:
    pcm = np.array([[0.0, -1.0], [1.5, 1e-30]], "<f4").tobytes()
    assert encode_float(decode_float(pcm, 2), 1) == pcm


def test_what_is_no_number_is_silence() -> None:
    pcm = np.array([0.25, np.nan, np.inf, -np.inf], "<f4").tobytes()
    assert decode_float(pcm, 1)[:, 0].tolist() == [0.25, 0, 0, 0]
