"""FollowedSession: a wake session of which is told what nearly was a word, and how high a word that was heard got."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from irene_wyoming.engines.base import Hit, OnScore, Score, WakeSession
from irene_wyoming.engines.wake.near import NearMisses
from irene_wyoming.engines.wake.session import NEARLY

PEAK_S = 0.5
"""A word has passed when its score has not risen for so long."""


@dataclass(slots=True)
class Peak:
    """A word that was heard, whose score may still rise."""

    hit: Hit
    score: float
    """The highest so far."""
    frame: int
    """Where that was."""


@dataclass(frozen=True, slots=True)
class Told:
    """Whom a session tells of what passes; called on the thread that the session is called on."""

    on_near: Callable[[Score], None]
    """A word was nearly heard: its highest score."""
    on_peak: Callable[[Hit, float], None]
    """A word that was heard has passed: the highest score that it got."""


class FollowedSession:
    """One stream. Frames are those of the whole stream, with what was left out of it."""

    def __init__(self, make: Callable[[OnScore], WakeSession], rate: int, told: Told) -> None:
        """:param make: gives the session, which shows its scores to what it is given.
        :param rate: frames per second.
        """
        self.closest: Score | None = None
        """The highest score in the stream, so that one can see why nothing was heard; None: no step yet."""
        self._told = told
        self._near = NearMisses(NEARLY, rate)
        self._peaks: dict[str, Peak] = {}
        self._pushed: dict[str, Score] = {}
        """By word: the highest score of the audio that is being pushed."""
        self._peak_frames = round(PEAK_S * rate)
        self._given = 0
        """Frames, with those that were left out."""
        self._left_out = 0
        self._session = make(self._take)

    @property
    def needs(self) -> int:
        return self._session.needs

    def skip(self, frames: int) -> None:
        """So many frames of the stream are left out; what is pushed next comes behind them."""
        self._left_out += frames
        self._given += frames

    def push(self, pcm: bytes) -> Sequence[Hit]:
        self._pushed.clear()
        hits = self._session.push(pcm)
        self._given += len(pcm) // 2  # SPEECH: 16 bit mono
        if self._left_out and hits:
            hits = [replace(hit, frame=hit.frame + self._left_out) for hit in hits]
        for hit in hits:
            self._near.heard(hit.model, hit.frame)
            best = self._pushed.get(hit.model, Score(hit.model, hit.score, hit.frame))
            self._peaks[hit.model] = Peak(hit, max(best.score, hit.score), best.frame)
        for near in self._near.passed(self._given):
            self._told.on_near(near)
        if self._peaks:
            self._settle(self._given - self._peak_frames)
        return hits

    def settle(self) -> None:
        """The stream ends: tell what has not been told."""
        for near in self._near.rest():
            self._told.on_near(near)
        self._settle(self._given)

    def close(self) -> None:
        self.settle()
        self._session.close()

    def _settle(self, frame: int) -> None:
        """Tell of the words whose score has not risen since this frame."""
        for word in [word for word, peak in self._peaks.items() if peak.frame <= frame]:
            peak = self._peaks.pop(word)
            self._told.on_peak(peak.hit, peak.score)

    def _take(self, score: Score) -> None:
        if self._left_out:
            score = score.later(self._left_out)
        if self.closest is None or score.score > self.closest.score:
            self.closest = score
        if score.score < NEARLY:
            return
        self._near.scored(score)
        best = self._pushed.get(score.word)
        if best is None or score.score > best.score:
            self._pushed[score.word] = score
        peak = self._peaks.get(score.word)
        if peak is not None and score.score > peak.score:
            peak.score, peak.frame = score.score, score.frame
