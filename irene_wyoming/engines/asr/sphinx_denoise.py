"""Noise reduction before recognition: a Wiener filter on the quietest parts of the utterance itself.

The acoustic model was made from quiet speech. With the filter 90 % instead of 83 % of our synthesised commands are
exact over quiet, 20 dB and 10 dB SNR (tests/engines/asr/evaluate_sphinx.py); quiet ones stay as they were.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_WINDOW = 512
"""Samples: 32 ms."""

_HOP = 128

_QUIETEST = 0.2
"""Share of the windows that is taken for noise only."""

_MIN_GAIN = 0.2
"""No part is turned down further (-14 dB): what sounds cleaner is recognised worse."""

_MEMORY = 0.93
"""How much of the last window's estimate goes into the next one's: less lets single tones of noise through."""

_PEAK = 8000.0
"""Loudest sample afterwards. Recognition does not depend on the level, but the dither must be small beside it."""

_DITHER = 3.0
"""Standard deviation of the noise added, so that digital silence is not infinitely far from any speech."""

_taper = np.sqrt(np.hanning(_WINDOW + 1)[:-1])


def denoise(samples: NDArray[np.int16]) -> tuple[NDArray[np.float64], float]:
    """Filtered samples of the same number, normalised to one level, and the signal-to-noise ratio in dB.

    The same samples always give the same result.
    """
    signal = samples.astype(np.float64)
    signal *= _PEAK / max(1.0, float(np.max(np.abs(signal), initial=0.0)))
    signal += np.random.default_rng(0).standard_normal(len(signal)) * _DITHER
    spectra = _spectra(signal)
    power = np.abs(spectra) ** 2
    loudness = power.sum(axis=1)
    order = np.argsort(loudness)
    quietest = order[: max(5, int(_QUIETEST * len(order)))]
    noise = np.convolve(np.pad(power[quietest].mean(axis=0), 2, mode="edge"), np.full(5, 0.2), "valid")
    loudest = order[-max(1, len(order) // 10) :]
    snr = 10.0 * float(np.log10(loudness[loudest].mean() / loudness[quietest].mean()))
    return _signal(spectra * _gains(power / noise), len(signal)), snr


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


def _spectra(signal: NDArray[np.float64]) -> NDArray[np.complex128]:
    """(windows, bins)"""
    padded = np.pad(signal, _WINDOW)
    return np.fft.rfft(sliding_window_view(padded, _WINDOW)[::_HOP] * _taper, axis=1)


def _signal(spectra: NDArray[np.complex128], length: int) -> NDArray[np.float64]:
    """Overlap and add."""
    windows = np.fft.irfft(spectra, _WINDOW, axis=1) * _taper
    padded = np.zeros((len(windows) + _WINDOW // _HOP) * _HOP)
    for part in range(_WINDOW // _HOP):
        piece = windows[:, part * _HOP : (part + 1) * _HOP]
        padded[part * _HOP : (part + len(windows)) * _HOP] += piece.reshape(-1)
    return padded[_WINDOW : _WINDOW + length] / (_WINDOW / _HOP / 2)
