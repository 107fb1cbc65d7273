"""ShownStream: how a stream sounds and scores at the moment, for whoever looks. Costs nothing while nobody does."""

import time
from typing import Any

import numpy as np

from irene_wyoming.audio.meter import Meter
from irene_wyoming.engines.base import Score
from irene_wyoming.news import NEWS

STALE_S = 2.0
"""After a gap of so long the meter begins anew: nobody looked, or nothing came."""


class ShownStream:
    """One stream of a client."""

    def __init__(self, kind: str, caller: str, rate: int, words: list[str] | None = None) -> None:
        """:param kind: ``satellite``, ``command`` or ``listener``.
        :param caller: whom the page names.
        :param rate: Hz, of 16-bit mono audio.
        """
        self._caller = caller
        self._rate = rate
        self._words = words or []
        self._since = time.time()
        self._meter: Meter | None = None
        self._scores: dict[str, float] = {}
        self._heard_at = 0.0
        self.hide = NEWS.show(kind, self.look)
        """Ends that it is shown. May be called more than once."""

    def heard(self, pcm: bytes) -> None:
        """Audio of the stream, 16-bit mono."""
        if not NEWS.watched:
            return
        now = time.monotonic()
        if self._meter is None or now - self._heard_at > STALE_S:
            self._meter = Meter(self._rate)
        self._heard_at = now
        self._meter.push(np.frombuffer(pcm, "<i2"))

    def scored(self, score: Score) -> None:
        """A step of a word. Called on the engines' thread."""
        if NEWS.watched and score.score > self._scores.get(score.word, 0.0):
            self._scores[score.word] = score.score

    def look(self) -> dict[str, Any]:
        """How it is now; the scores are the highest since the last look."""
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
