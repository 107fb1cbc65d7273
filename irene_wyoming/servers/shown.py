"""ShownStream: a stream's present sound and scores, for the page. Costs nothing while nobody looks."""

import time
from typing import Any

import numpy as np

from irene_wyoming.audio.meter import Meter
from irene_wyoming.engines.base import MeasuredScore, Score, SecondedScore
from irene_wyoming.news import NEWS

STALE_S = 2.0
"""Seconds of a gap after which the meter begins anew: nobody looked, or nothing came."""


class ShownStream:
    """One stream of a client."""

    def __init__(self, kind: str, caller: str, rate: int, words: list[str] | None = None) -> None:
        """:param kind: ``satellite``, ``command`` or ``listener``.
        :param caller: the client's name on the page.
        :param rate: Hz, of 16-bit mono audio.
        """
        self._caller = caller
        self._rate = rate
        self._words = words or []
        self._since = time.time()
        self._meter: Meter | None = None
        self._scores: dict[str, float] = {}
        self._steps: dict[str, int] = {}
        """Present steps in a row that have reached each word's threshold."""
        self._most_steps: dict[str, int] = {}
        """The most steps in a row of each word since the last question."""
        self._heard_at = 0.0
        self.hide = NEWS.show(kind, self.look)
        """Ends the showing of this stream. May be called more than once."""

    def heard(self, pcm: bytes) -> None:
        """Take audio of the stream, 16-bit mono."""
        if not NEWS.watched:
            return
        now = time.monotonic()
        if self._meter is None or now - self._heard_at > STALE_S:
            self._meter = Meter(self._rate)
        self._heard_at = now
        self._meter.push(np.frombuffer(pcm, "<i2"))

    def scored(self, score: Score) -> None:
        """Take the score of a word's step. Called on the engines' thread."""
        if NEWS.watched and score.score > self._scores.get(score.word, 0.0):
            self._scores[score.word] = score.score
        if isinstance(score, SecondedScore):
            return
        if isinstance(score, MeasuredScore) and score.score >= score.threshold:
            steps = self._steps[score.word] = self._steps.get(score.word, 0) + 1
            self._most_steps[score.word] = max(steps, self._most_steps.get(score.word, 0))
        elif self._steps:
            self._steps.pop(score.word, None)

    def steps(self, word: str) -> int:
        """The most steps in a row that reached a word's threshold since the last call."""
        return self._most_steps.pop(word, 0)

    def look(self) -> dict[str, Any]:
        """The present picture; scores are the highest since the last look."""
        scores, self._scores = self._scores, {}
        picture: dict[str, Any] = {
            "caller": self._caller,
            "since": round(self._since, 1),
            "words": self._words,
            "scores": {word: round(value, 3) for word, value in scores.items()},
        }
        meter = self._meter
        if meter is not None and time.monotonic() - self._heard_at <= STALE_S:
            picture |= {
                "level_dbfs": round(meter.level_dbfs, 1),
                "snr_db": round(meter.snr_db, 1),
                "peak_dbfs": round(meter.peak_dbfs, 1),
                "clipped": meter.clipped,
            }
        return picture
