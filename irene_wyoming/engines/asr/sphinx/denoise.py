"""Noise reduction before recognition: a network that knows speech, then a Wiener filter for what it leaves.

The acoustic model was made from quiet speech. Quiet commands stay as they were. How many noisy ones are exact with the
filter alone and with both: docs/benchmarks.md.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from irene_wyoming.engines.asr.sphinx import mask as sphinx_mask
from irene_wyoming.engines.asr.sphinx.mask import Mask

_WINDOW = 2 * (sphinx_mask.BINS - 1)
"""Samples: 32 ms."""

_HOP = 128

_QUIETEST = 0.2
"""Share of the windows that is taken for noise only."""

_MASKED = 0.1
"""The network turns nothing down further than to this (-20 dB)."""

_MIN_GAIN = 0.3
"""Nor does the filter (-10 dB): what sounds cleaner is recognised worse."""

_MEMORY = 0.93
"""How much of the last window's estimate goes into the next one's: less lets single tones of noise through."""

PEAK = 8000.0
"""Loudest sample afterwards. Recognition does not depend on the level, but the dither must be small beside it."""

DITHER = 3.0
"""Standard deviation of the noise added, so that digital silence is not infinitely far from any speech."""

_taper = np.sqrt(np.hanning(_WINDOW + 1)[:-1])


def denoise(samples: NDArray[np.int16], mask: Mask) -> tuple[NDArray[np.float64], float]:
    """Filtered samples of the same number, normalised to one level, and the signal-to-noise ratio in dB.

    The same samples always give the same result.
    """
    signal = samples.astype(np.float64)
    signal *= PEAK / max(1.0, float(np.max(np.abs(signal), initial=0.0)))
    signal += np.random.default_rng(0).standard_normal(len(signal)) * DITHER
    noisy = spectra(signal)
    power = _power(noisy)
    quietest, loud = levels(power)
    snr = 10.0 * float(np.log10(loud / power[quietest].mean()))
    banded = sphinx_mask.bands(power)
    gains = mask.gains(sphinx_mask.features(banded, banded[quietest].mean(axis=0), loud))
    noisy *= _MASKED + (1.0 - _MASKED) * gains
    power = _power(noisy)
    noise = np.convolve(np.pad(power[quietest].mean(axis=0), 2, mode="edge"), np.full(5, 0.2), "valid")
    noisy *= _gains(power / noise)
    return _signal(noisy, len(signal)), snr


def levels(power: NDArray[np.float64]) -> tuple[NDArray[np.intp], float]:
    """Which of the (windows, bins) are the quietest, and the mean of the loudest."""
    loudness = power.mean(axis=1)
    order = np.argsort(loudness)
    loudest = order[-max(1, len(order) // 10) :]
    return order[: max(5, int(_QUIETEST * len(order)))], float(loudness[loudest].mean())


def spectra(signal: NDArray[np.float64]) -> NDArray[np.complex128]:
    """(windows, bins)"""
    padded = np.pad(signal, _WINDOW)
    return np.fft.rfft(sliding_window_view(padded, _WINDOW)[::_HOP] * _taper, axis=1)


def _power(spectra: NDArray[np.complex128]) -> NDArray[np.float64]:
    power: NDArray[np.float64] = spectra.real**2 + spectra.imag**2
    return power


def _gains(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decision-directed Wiener gains from power over noise power, (windows, bins)."""
    gains = np.empty_like(ratio)
    before = np.ones(ratio.shape[1])
    for index, now in enumerate(ratio):
        speech = _MEMORY * before + (1.0 - _MEMORY) * np.maximum(now - 1.0, 0.0)
        gain = np.maximum(speech / (1.0 + speech), _MIN_GAIN)
        gains[index] = gain
        before = gain * gain * now
    return gains


def _signal(spectra: NDArray[np.complex128], length: int) -> NDArray[np.float64]:
    """Overlap and add."""
    windows = np.fft.irfft(spectra, _WINDOW, axis=1) * _taper
    padded = np.zeros((len(windows) + _WINDOW // _HOP) * _HOP)
    for part in range(_WINDOW // _HOP):
        piece = windows[:, part * _HOP : (part + 1) * _HOP]
        padded[part * _HOP : (part + len(windows)) * _HOP] += piece.reshape(-1)
    return padded[_WINDOW : _WINDOW + length] / (_WINDOW / _HOP / 2)
