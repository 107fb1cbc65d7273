"""Computes the weights of the fast level: ``python -m tests.audio.design`` prints them.

A Kaiser window spends the same error on the pass band as on the stop band. Speech recognisers do not mind a decibel at
7 kHz, but they mind what folds in from above 9 kHz. So the error is divided as wanted. A sum of cosines under a slight
window is fitted by least squares, whose weights follow the error until it is level in each band (Lawson, "Contributions
to the Theory of Linear Least Maximum Approximations", 1961).

Frequencies are in half the lower of the two rates, times in half the length of the filter.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.fir import COSINE_REACH, COSINE_WINDOW, LEVELS, window
from irene_wyoming.audio.format import Quality

Floats = NDArray[np.float64]

COUNT = 11
"""Number of cosines. More change nothing."""

ROUNDS = 200
PASS_ERROR = 0.1
"""Allowed error in the pass band: about 1 dB at its edge."""

LOW, LOW_ERROR = 0.5, 0.003
"""Frequency up to which speech is loud, and the allowed error there: 0.03 dB."""

FAR, FAR_REJECTS_DB = 2.5, 20.0
"""Frequency from which more decibels are rejected: all beyond it adds up at the source's rate."""

HIGHEST = 10.0
"""Highest frequency of the fit; the window takes care of what lies beyond."""


def cosines() -> Floats:
    """The weights ``(COUNT,)`` of cos(pi k t) for t from -1 to 1."""
    level = LEVELS[Quality.FAST]
    frequencies = np.concatenate((np.linspace(0, level.passes, 120), np.linspace(level.stops, HIGHEST, 600)))
    responses = basis_responses(frequencies)
    wanted = np.where(frequencies <= level.passes, 1.0, 0.0)
    rejects_db = level.rejects_db + np.where(frequencies > FAR, FAR_REJECTS_DB, 0)
    growth = np.clip((frequencies - LOW) / (level.passes - LOW), 0, 1)
    allowed = np.where(wanted > 0, LOW_ERROR * (PASS_ERROR / LOW_ERROR) ** growth, 10 ** (-rejects_db / 20))
    weight: NDArray[Any] = 1 / allowed
    for _ in range(ROUNDS):
        found: Floats = np.linalg.lstsq(responses * weight[:, None], wanted * weight, rcond=None)[0]
        error = np.abs(responses @ found - wanted) / allowed
        weight *= np.sqrt(error / error.max() + 1e-3)
    return found


def basis_responses(frequencies: Floats) -> Floats:
    """The response of each cosine under the window, ``(frequencies, COUNT)``."""
    time = np.linspace(0, 1, 801)
    step = np.full(len(time), 1 / 800)
    step[[0, -1]] /= 2
    under_window = window(time, COSINE_WINDOW)[:, None] * np.cos(np.pi * np.outer(time, np.arange(COUNT)))
    through: Floats = 2 * (np.cos(2 * np.pi * COSINE_REACH * np.outer(frequencies, time)) * step) @ under_window
    return through


if __name__ == "__main__":
    sys.stdout.write(", ".join(f"{value:.8f}" for value in cosines()) + "\n")
