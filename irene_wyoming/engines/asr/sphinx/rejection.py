"""Rejection: how surely a sentence that the decoder found is what was said.

A closed grammar finds a sentence in any sound. What gives it away: its words fit worse on the whole or in some part,
silence has to stand for speech, or words are stretched or squeezed. These measures of one decoding, weighed by
a logistic regression, part commands from other speech as well as a second decoding by a loop over all phones did, at
half of the work (area under the curve 0.986 and 0.974; the second one added nothing to the first).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, a silence or a noise, as the decoder laid it over the frames."""

    word: str
    """Empty: silence or noise."""
    start: int
    """First frame, of 10 ms."""
    end: int
    """One after the last frame."""
    score: float
    """Acoustic, of all frames together: 0 is the best fit there could be, less is worse."""
    phones: int
    """Length of the word's pronunciation; 0 for silence or noise."""

    @property
    def mean(self) -> float:
        """Score per frame."""
        return self.score / (self.end - self.start)


class Measures(NamedTuple):
    """What tells a command from something else."""

    fit: float
    """Mean score per frame."""
    worst_part: float
    """The same of the worst 0.6 s."""
    worst_word: float
    """The same of the worst word of at least 0.15 s."""
    silence: float
    """Score of the worst single silence, divided by 100."""
    snr: float
    """Signal-to-noise ratio, dB, within 10 and 40: noise makes every fit worse."""
    pace: float
    """Frames per phone."""
    slowest: float
    """The same of the slowest word."""
    gaps: float
    """Share of silence between the words."""


_NEAR = 15
"""Frames beside a word that may be loud: the level follows the sound with a delay, and a room adds to it."""

_LEFT_OUT = 25
"""Frames: 0.25 s. In 271 right commands it was at most 0.13 s, in one of five other sentences more than 0.2 s."""

# The last one is the constant. Fitted by tests/engines/asr/sphinx/evaluate.py --fit.
WEIGHTS = (0.1953, 0.0635, 0.0514, 0.0776, -0.045, 0.2077, -0.0467, -35.8886, 11.2307)


def measures(pieces: Sequence[Piece], snr: float) -> Measures:
    """The measures of a decoding, which holds at least one word."""
    frames = np.concatenate(
        [np.full(piece.end - piece.start, piece.score / (piece.end - piece.start)) for piece in pieces]
    )
    words = [piece for piece in pieces if piece.word]
    others = [piece for piece in pieces if not piece.word]
    long = [piece for piece in words if piece.end - piece.start >= 15] or words
    inner = [piece for piece in others if words[0].end <= piece.start < words[-1].start]
    return Measures(
        fit=float(frames.mean()),
        worst_part=_worst(frames, 60),
        worst_word=min(piece.mean for piece in long),
        silence=min((piece.score for piece in others), default=0.0) / 100,
        snr=min(40.0, max(10.0, snr)),
        pace=_frames(words) / sum(piece.phones for piece in words),
        slowest=max((piece.end - piece.start) / piece.phones for piece in words),
        gaps=_frames(inner) / len(frames),
    )


def leaves_out_speech(pieces: Sequence[Piece], loud: NDArray[np.bool_]) -> bool:
    """Whether the decoder took speech for silence. Where only silence is left to follow, it sees nothing wrong in it.

    :param loud: which frames are speech.
    """
    alone = loud.copy()
    for piece in pieces:
        if piece.word:
            alone[max(0, piece.start - _NEAR) : piece.end + _NEAR] = False
    return int(alone.sum()) > _LEFT_OUT


def confidence(found: Measures) -> float:
    """0 to 1; what is no command mostly stays below 0.5."""
    *weights, constant = WEIGHTS
    logit = sum(weight * value for weight, value in zip(weights, found, strict=True)) + constant
    return 1.0 / (1.0 + math.exp(-min(50.0, max(-50.0, logit))))


def _frames(pieces: Sequence[Piece]) -> int:
    return sum(piece.end - piece.start for piece in pieces)


def _worst(frames: NDArray[np.float64], width: int) -> float:
    """The lowest mean of ``width`` frames in a row."""
    if len(frames) <= width:
        return float(frames.mean())
    total = np.concatenate([[0.0], np.cumsum(frames)])
    return float((total[width:] - total[:-width]).min()) / width
