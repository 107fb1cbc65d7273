"""Mask: a small network that says how much of each part of a noisy spectrum is speech.

A Wiener filter knows the noise of the quietest moments only, and takes what is louder for speech. The network has heard
speech and noise: it looks at half a second before and after each window. It is a stack of dilated convolutions over
time, each added to what it was given (S. Bai et al., 2018, "An empirical evaluation of generic convolutional and
recurrent networks for sequence modeling"); its gains are those of an ideal ratio mask (D. Wang and J. Chen, 2018,
"Supervised speech separation based on deep learning"). tests/engines/asr/sphinx/train_mask.py makes the file of its
weights and says of what.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BINS = 257
"""Of a spectrum, 0 to 8 kHz."""

BANDS = 40
"""Of equal width on the mel scale, triangles that overlap by half."""

LOWEST_HZ, HIGHEST_HZ = 60.0, 8000.0

REACH = tuple(2**layer for layer in range(6))
"""Windows by which each convolution looks forth and back."""

PACKAGED = Path(__file__).with_name("mask.npz")


def triangles() -> NDArray[np.float32]:
    """(BINS, BANDS): how much each bin belongs to each band. Each belongs to one at least, and each band has one."""
    lowest_mel, highest_mel = 2595.0 * np.log10(1.0 + np.array([LOWEST_HZ, HIGHEST_HZ]) / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(lowest_mel, highest_mel, BANDS + 2) / 2595.0) - 1.0)
    lowest, middle, highest = edges[:-2], edges[1:-1], edges[2:]
    hertz = np.linspace(0.0, HIGHEST_HZ, BINS)[:, None]
    shares = np.maximum(0.0, np.minimum((hertz - lowest) / (middle - lowest), (highest - hertz) / (highest - middle)))
    shares[hertz[:, 0] < middle[0], 0] = 1.0
    shares[hertz[:, 0] > middle[-1], -1] = 1.0
    narrow = shares.sum(axis=0) < 0.5
    shares[np.rint(middle[narrow] / HIGHEST_HZ * (BINS - 1)).astype(int), np.flatnonzero(narrow)] = 1.0
    return shares.astype(np.float32)


_SHARES = triangles()
_INTO_BANDS = _SHARES / _SHARES.sum(axis=0)
_INTO_BINS = np.ascontiguousarray((_SHARES / _SHARES.sum(axis=1, keepdims=True)).T)


def bands(power: NDArray[np.float64]) -> NDArray[np.float32]:
    """(windows, BINS) to (windows, BANDS): mean power, at least 1."""
    mean: NDArray[np.float32] = power.astype(np.float32) @ _INTO_BANDS
    mean += 1.0
    return mean


def features(power: NDArray[np.float32], noise: NDArray[np.float32], loud: float) -> NDArray[np.float32]:
    """What the network is shown.

    :param power: (windows, BANDS)
    :param noise: (BANDS,), power of the quietest windows
    :param loud: mean power of the loudest windows
    :return: (windows, 2 * BANDS): power over noise, and over the loudest, as logarithms
    """
    level = np.log10(power)
    over_noise = np.clip(level - np.log10(noise), -1.5, 5.0)
    return np.concatenate([over_noise, np.clip(level - np.float32(np.log10(loud)), -6.0, 2.0)], axis=1)


class Mask:
    def __init__(self, file: Path = PACKAGED) -> None:
        with np.load(file) as weights:
            arrays = {name: weights[name].astype(np.float32) for name in weights.files}
        self._enter, self._enter_bias = arrays["enter"], arrays["enter_bias"]  # (2 * BANDS, channels)
        self._layers = arrays["layers"]  # (layer, before / now / after, channels, channels)
        self._biases = arrays["biases"]  # (layer, channels)
        self._leave, self._leave_bias = arrays["leave"], arrays["leave_bias"]  # (channels, BANDS)

    def gains(self, shown: NDArray[np.float32]) -> NDArray[np.float32]:
        """(windows, 2 * BANDS) of ``features`` to (windows, BINS): 0 for noise, 1 for speech, of amplitudes."""
        found = np.maximum(shown @ self._enter + self._enter_bias, 0.0)
        for reach, layer, bias in zip(REACH, self._layers, self._biases, strict=True):
            added = found @ layer[1]
            added[reach:] += found[:-reach] @ layer[0]
            added[:-reach] += found[reach:] @ layer[2]
            added += bias
            found = found + np.maximum(added, 0.0)
        likely = 1.0 / (1.0 + np.exp(-(found @ self._leave + self._leave_bias)))
        gains: NDArray[np.float32] = likely @ _INTO_BINS
        return gains
