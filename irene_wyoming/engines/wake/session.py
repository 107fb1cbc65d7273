"""Session: the common base of the embedded engines' sessions. Scores come from a ScoreStream, triggers decide."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.audio.meter import Meter
from irene_wyoming.engines.base import Hit, MeasuredScore, OnScore, Score
from irene_wyoming.engines.wake.trigger import Trigger
from irene_wyoming.errors import EngineFailed

NEARLY = 0.2
"""Score from which the speaker may have meant the word. Ordinary speech is below 0.05."""

MEASURED_RISE = 0.1
"""Rise of the score after which the word's level is measured again, since that takes as long as a step."""

LONGEST_WAIT = SPEECH.rate // 4
"""Most frames, 250 ms, that a session asks for at a time, so that its live scores move."""


class ScoreStream(Protocol):
    """One client's audio on its way through the models of some words."""

    @property
    def needs(self) -> int:
        """Frames missing for the next step, at least 1."""

    def steps_to(self, word: str, score: float, /) -> int:
        """Least steps of this word, the coming one included, until its score can be this high; at least 1."""

    def frames_to(self, word: str, step: int, /) -> int:
        """Frames missing for a step of this word; the coming one is 1."""

    def push(self, pcm: bytes) -> Iterable[Score]:
        """Take any number of whole 16 kHz 16-bit mono frames; give the scores of completed steps, in order. Read all
        before the next push.

        :raises EngineFailed: the stream cannot be used any more.
        """

    def close(self) -> None:
        """Close the stream. May be called more than once."""


class Session:
    """A WakeSession: one ScoreStream, one Trigger per word, and a Meter of what both hear."""

    def __init__(self, stream: ScoreStream, triggers: Mapping[str, Trigger], on_score: OnScore | None = None) -> None:
        self._stream = stream
        self._triggers = triggers
        self._on_score = on_score
        self._meter = Meter(SPEECH.rate)
        self._highest: dict[str, MeasuredScore] = {}
        """The last score of each word whose level was measured."""
        self._frame = 0  # the frame at which the given audio ends
        self._closed = False

    @property
    def needs(self) -> int:
        return min(self._needs(word, trigger) for word, trigger in self._triggers.items())

    def push(self, pcm: bytes) -> list[Hit]:
        """Take audio and give hits; raises ValueError for half a frame, which is the caller's mistake."""
        if self._closed:
            raise EngineFailed("this wake word session is closed")
        if len(pcm) % SPEECH.frame_bytes:
            raise ValueError(f"{len(pcm)} bytes: expected whole frames of {SPEECH.frame_bytes} bytes")
        return list(self._listen(pcm))

    def close(self) -> None:
        self._closed = True
        # breaks a cycle with the holder of this session, which would last until the next collection
        self._on_score = None
        self._stream.close()

    def _needs(self, word: str, trigger: Trigger) -> int:
        """Frames until this word could be heard, at most LONGEST_WAIT."""
        steps = trigger.steps_to_hit(self._stream.steps_to(word, trigger.threshold))
        return min(LONGEST_WAIT, self._stream.frames_to(word, steps))

    def _listen(self, pcm: bytes) -> Iterator[Hit]:
        samples = np.frombuffer(pcm, "<i2")
        began, measured = self._frame, 0
        self._frame += len(samples)

        def level() -> float:  # of the audio up to this step, for any cuts of the audio
            nonlocal measured
            self._meter.push(samples[measured : score.frame - began])
            measured = max(measured, score.frame - began)
            return self._meter.level_dbfs

        for score in self._stream.push(pcm):
            trigger = self._triggers[score.word]
            if self._on_score is not None:
                high = score.score >= NEARLY
                self._on_score(self._measured(score, trigger.threshold, level) if high else score)
            if trigger.update(score.score, score.frame, level):
                yield Hit(score.word, score.score, score.frame, level(), self._meter.snr_db, trigger.threshold)
        self._meter.push(samples[measured:])

    def _measured(self, score: Score, threshold: float, level: Callable[[], float]) -> MeasuredScore:
        """Add the level to a score that is about the highest within a second."""
        high = self._highest.get(score.word)
        if high is None or score.score > high.score + MEASURED_RISE or score.frame - high.frame > SPEECH.rate:
            high = self._highest[score.word] = MeasuredScore.of(score, level(), self._meter.snr_db, threshold)
            return high
        return MeasuredScore.of(score, high.level_dbfs, high.snr_db, threshold)
