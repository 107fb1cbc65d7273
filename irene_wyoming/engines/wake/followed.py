"""FollowedSession: a wake session that reports near misses and the peaks of heard words.

For words with a second look it gives proposals with the last seconds of audio.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import Hit, MeasuredScore, OnScore, Score, SecondedScore, WakeSession
from irene_wyoming.engines.wake.near import NearMisses
from irene_wyoming.engines.wake.proposals import Proposals, Proposed
from irene_wyoming.engines.wake.session import NEARLY

PEAK_S = 0.5
"""Seconds without a rise of the score after which a word has passed."""

KEPT_S = 2.2
"""Seconds of audio in a proposal: a word, and the sound before it. More makes a look dearer, not surer."""


@dataclass(slots=True)
class Peak:
    """A heard word whose score may still rise."""

    hit: Hit
    score: float
    """The highest score so far."""
    frame: int
    """The frame of the highest score."""


@dataclass(frozen=True, slots=True)
class Told:
    """Callbacks of a session, called on the thread that calls the session."""

    on_near: Callable[[Score], None]
    """Called with the highest score of a near miss."""
    on_peak: Callable[[Hit, float], None]
    """Called when a heard word has passed, with its highest score."""


class FollowedSession:
    """One stream. Frames count the whole stream, including audio left out."""

    def __init__(
        self,
        make: Callable[[OnScore], WakeSession],
        rate: int,
        told: Told,
        proposed: Collection[str] = (),
        low: Collection[str] = (),
    ) -> None:
        """:param make: opens the session with a callback for its scores.
        :param rate: frames per second.
        :param proposed: words for which proposals are given.
        :param low: those of them that are proposed from a low score on.
        """
        self.closest: Score | None = None
        """The highest score in the stream, which shows why nothing was heard; None: no step yet."""
        self._told = told
        self._near = NearMisses(NEARLY, rate)
        self._peaks: dict[str, Peak] = {}
        self._pushed: dict[str, Score] = {}
        """The highest score of the pushed audio, by word."""
        self._peak_frames = round(PEAK_S * rate)
        self._given = 0
        """Frames so far, including those left out."""
        self._left_out = 0
        self._proposed = frozenset(proposed)
        self._low = frozenset(low)
        self._proposals = Proposals(rate)
        self._answered: deque[tuple[Hit, bool]] = deque()
        """Proposals and whether they were accepted, not yet seen by this thread."""
        self._kept = bytearray()
        self._most = round(KEPT_S * rate) * SPEECH.frame_bytes
        self._session = make(self._take)

    @property
    def needs(self) -> int:
        return self._session.needs

    def skip(self, frames: int) -> None:
        """Leave out this many frames of the stream; the next push comes behind them."""
        self._left_out += frames
        self._given += frames
        self._kept.clear()

    def push(self, pcm: bytes) -> Sequence[Hit]:
        self._pushed.clear()
        hits = self._session.push(pcm)
        self._given += SPEECH.frames(len(pcm))
        if self._left_out and hits:
            hits = [replace(hit, frame=hit.frame + self._left_out) for hit in hits]
        if self._proposed:
            self._keep(pcm)
            hits = self._propose(hits)
        if self._peaks:  # of earlier hits: whoever calls has to know of a hit before its peak
            self._settle(self._given - self._peak_frames)
        for hit in hits:
            if not isinstance(hit, Proposed):
                self._follow(hit)
        for near in self._near.passed(self._given):
            self._told.on_near(near)
        return hits

    def accept(self, hit: Hit) -> None:
        """Take note that a proposal was accepted. From any thread; takes effect at the next push."""
        self._answered.append((hit, True))

    def refuse(self, hit: Hit) -> None:
        """Take note that a look has not found the word. From any thread; takes effect at the next push."""
        self._answered.append((hit, False))

    def settle(self) -> None:
        """End the stream: report what is still pending."""
        self._take_answers()
        for near in self._near.rest():
            self._told.on_near(near)
        self._settle(self._given)

    def close(self) -> None:
        self.settle()
        self._session.close()

    def _keep(self, pcm: bytes) -> None:
        """Keep the last audio for proposals."""
        self._kept += pcm
        del self._kept[: max(0, len(self._kept) - self._most)]

    def _propose(self, hits: Sequence[Hit]) -> list[Hit]:
        """Turn hits into proposals where a second look decides, and add words that were nearly hits."""
        self._take_answers()
        found: list[Hit] = []
        for hit in hits:
            if isinstance(hit, Proposed) or hit.model not in self._proposed:
                found.append(hit)
            else:
                self._proposals.usual(hit.model, hit.frame, hit.score)
                found.append(self._proposal(hit, usual=True))
        for score, usual in self._proposals.due(self._given):
            hit = Hit(score.word, score.score, score.frame)
            if isinstance(score, MeasuredScore):
                hit = replace(hit, level_dbfs=score.level_dbfs, snr_db=score.snr_db, threshold=score.threshold)
            found.append(self._proposal(hit, usual=usual))
        return found

    def _proposal(self, hit: Hit, *, usual: bool) -> Proposed:
        return Proposed(
            hit.model, hit.score, hit.frame, hit.level_dbfs, hit.snr_db, hit.threshold, usual=usual,
            audio=bytes(self._kept),
        )  # fmt: skip

    def _take_answers(self) -> None:
        while self._answered:
            hit, taken = self._answered.popleft()
            if taken:
                self._proposals.over(hit.model)
                self._follow(hit)
            else:
                self._proposals.refused(hit.model)

    def _follow(self, hit: Hit) -> None:
        """Follow a heard word: it is no near miss, and its score may rise."""
        self._near.heard(hit.model, hit.frame)
        best = self._pushed.get(hit.model, Score(hit.model, hit.score, hit.frame))
        self._peaks[hit.model] = Peak(hit, max(best.score, hit.score), max(best.frame, hit.frame))

    def _settle(self, frame: int) -> None:
        """Report the words whose score has not risen since this frame."""
        for word in [word for word, peak in self._peaks.items() if peak.frame <= frame]:
            peak = self._peaks.pop(word)
            self._told.on_peak(peak.hit, peak.score)

    def _take(self, score: Score) -> None:
        if self._left_out:
            score = score.later(self._left_out)
        if isinstance(score, SecondedScore):
            if score.word in self._low:
                self._proposals.scored(score)
            return
        if self.closest is None or score.score > self.closest.score:
            self.closest = score
        if score.score < NEARLY:
            return
        self._near.scored(score)
        if score.word in self._low:
            self._proposals.scored(score)
        best = self._pushed.get(score.word)
        if best is None or score.score > best.score:
            self._pushed[score.word] = score
        peak = self._peaks.get(score.word)
        if peak is not None and score.score > peak.score:
            peak.score, peak.frame = score.score, score.frame
