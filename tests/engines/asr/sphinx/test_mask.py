from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.demo.speech import COMMAND, packaged
from irene_wyoming.engines.asr.sphinx import mask as sphinx_mask
from irene_wyoming.engines.asr.sphinx.denoise import PEAK, denoise
from irene_wyoming.engines.asr.sphinx.mask import BANDS, BINS, REACH, Mask

CHANNELS = 3


def test_every_bin_has_a_band_and_every_band_a_bin() -> None:
    shares = sphinx_mask.triangles()
    assert shares.shape == (BINS, BANDS)
    assert shares.sum(axis=1).min() > 0
    assert shares.max(axis=0).min() > 0
    assert shares.min() == 0
    assert shares.max() <= 1


def test_bands_keep_a_flat_spectrum_flat() -> None:
    np.testing.assert_allclose(sphinx_mask.bands(np.full((4, BINS), 9.0)), 10.0, rtol=1e-5)


@pytest.mark.parametrize("windows", [80, 10])  # more and fewer than the furthest layer reaches
def test_gains_are_what_the_layers_give_one_value_at_a_time(tmp_path: Path, windows: int) -> None:
    random = np.random.default_rng(3)
    shapes = {
        "enter": (2 * BANDS, CHANNELS),
        "enter_bias": (CHANNELS,),
        "layers": (len(REACH), 3, CHANNELS, CHANNELS),
        "biases": (len(REACH), CHANNELS),
        "leave": (CHANNELS, BANDS),
        "leave_bias": (BANDS,),
    }
    weights = {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    np.savez(tmp_path / "mask.npz", allow_pickle=False, **weights)
    shown = random.standard_normal((windows, 2 * BANDS)).astype(np.float32)
    gains = Mask(tmp_path / "mask.npz").gains(shown)
    shares = sphinx_mask.triangles()
    expected = _one_by_one(weights, shown) @ (shares / shares.sum(axis=1, keepdims=True)).T
    np.testing.assert_allclose(gains, expected, atol=1e-5)


def _one_by_one(weights: dict[str, NDArray[np.float32]], shown: NDArray[np.float32]) -> NDArray[np.float64]:
    found = [np.maximum(0, row @ weights["enter"] + weights["enter_bias"]) for row in shown]
    for reach, layer, bias in zip(REACH, weights["layers"], weights["biases"], strict=True):
        before = found
        found = []
        for index, row in enumerate(before):
            added = bias + row @ layer[1]
            for neighbour, part in ((index - reach, layer[0]), (index + reach, layer[2])):
                if 0 <= neighbour < len(before):
                    added = added + before[neighbour] @ part
            found.append(row + np.maximum(0, added))
    return np.array([1 / (1 + np.exp(-(row @ weights["leave"] + weights["leave_bias"]))) for row in found])


@pytest.fixture(scope="module")
def command() -> NDArray[np.int16]:
    """Half a second of silence before and after."""
    spoken = packaged(COMMAND)
    assert spoken.format == SPEECH
    return np.pad(np.frombuffer(spoken.pcm, "<i2"), 8_000)


@pytest.mark.parametrize(("snr", "gain"), [(5, 4.0), (10, 3.0), (20, 1.0)])
def test_noise_becomes_less_than_speech(command: NDArray[np.int16], snr: float, gain: float) -> None:
    noise = np.random.default_rng(1).standard_normal(len(command))
    level = np.sqrt(np.mean(command[8_000:-8_000].astype(float) ** 2)) * 10 ** (-snr / 20)
    clean, _ = denoise(np.rint(command + level * noise).astype(np.int16), Mask())
    assert _snr(command, clean) > snr + gain


def test_quiet_speech_stays_as_it_is(command: NDArray[np.int16]) -> None:
    clean, snr = denoise(command, Mask())
    assert np.abs(clean).max() == pytest.approx(PEAK, rel=0.05)
    assert _snr(command, clean) > 20
    assert snr > 40


def _snr(reference: NDArray[np.int16], found: NDArray[np.float64]) -> float:
    """dB, at the best common level."""
    wanted = reference.astype(float)
    wanted *= (wanted @ found) / (wanted @ wanted)
    return float(10 * np.log10((wanted**2).sum() / ((found - wanted) ** 2).sum()))
