"""Head: a logistic regression over the last embeddings, in numpy. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

EMBEDDINGS, SIZE = 16, 96
"""Embeddings of openWakeWord in a window (1.28 s and what each looks back), and values in each."""

PENALTY = 0.02
"""Weight of the squared weights in the loss, per example: small weights suit other voices, too."""

STEPS = 300
MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class Head:
    """The probability of a word is the logistic function of ``weights * embeddings + bias``."""

    weights: Floats
    """Weights ``(EMBEDDINGS * SIZE,)``."""
    bias: float

    def scores(self, windows: Floats) -> Floats:
        """Score windows: ``(windows, EMBEDDINGS * SIZE)`` gives ``(windows,)``, each 0 to 1."""
        scores: Floats = logistic(windows @ self.weights + np.float32(self.bias))
        return scores


def logistic(values: NDArray[np.floating]) -> Floats:
    share: Floats = (1 / (1 + np.exp(-np.clip(values, -30, 30)))).astype(np.float32)
    return share


def windows(embeddings: Floats) -> Floats:
    """Cut embeddings ``(hops, SIZE)`` into windows ``(hops - EMBEDDINGS + 1, EMBEDDINGS * SIZE)``, maybe none."""
    if len(embeddings) < EMBEDDINGS:
        return np.empty((0, EMBEDDINGS * SIZE), np.float32)
    views = np.lib.stride_tricks.sliding_window_view(embeddings, EMBEDDINGS, axis=0)
    return np.ascontiguousarray(views.transpose(0, 2, 1).reshape(-1, EMBEDDINGS * SIZE))


def fitted(positives: Floats, negatives: Floats) -> Head:
    """Fit the head that tells positives from negatives; both kinds weigh the same.

    Accelerated gradient descent on the penalised logistic loss, over standardised values (Y. Nesterov, 1983).

    :param positives: windows at the end of the word.
    :param negatives: any other windows.
    """
    every = np.concatenate([positives, negatives])
    mean, spread = every.mean(0), every.std(0) + 1e-3
    every = (every - mean) / spread
    wanted = np.concatenate([np.ones(len(positives)), np.zeros(len(negatives))]).astype(np.float32)
    share = np.where(wanted > 0, 0.5 / len(positives), 0.5 / len(negatives)).astype(np.float32)
    weights, bias = np.zeros(every.shape[1], np.float32), np.float32(0)
    speed, step = np.zeros_like(weights), np.float32(2.0 / (every.shape[1] ** 0.5))
    bias_speed = np.float32(0)
    for _ in range(STEPS):
        ahead = weights + MOMENTUM * speed
        error = share * (logistic(every @ ahead + bias + MOMENTUM * bias_speed) - wanted)
        speed = MOMENTUM * speed - step * (every.T @ error + PENALTY / 10 * ahead)
        bias_speed = MOMENTUM * bias_speed - step * error.sum()
        weights, bias = weights + speed, bias + bias_speed
    plain = (weights / spread).astype(np.float32)
    return Head(plain, float(bias - mean @ plain))
