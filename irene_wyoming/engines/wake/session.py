"""Session: what the embedded engines' sessions have in common. Scores come from a ScoreStream, triggers decide."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import Hit
from irene_wyoming.engines.wake.trigger import Trigger
from irene_wyoming.errors import EngineFailed


class Score(NamedTuple):
    """What one inference step made of one word."""

    word: str
    score: float
    """0 to 1."""
    frame: int
    """Where the step ends, counted from the start of the stream."""


class ScoreStream(Protocol):
    """One client's audio on its way through the models of some words."""

    def push(self, pcm: bytes) -> Iterator[Score]:
        """Take whole 16 kHz 16-bit mono frames, give the scores of the steps that they complete, in order.

        To be read to its end before the next push. The scores never depend on how the audio was cut.

        :raises EngineFailed: the stream is of no use any more.
        """

    def close(self) -> None:
        """May be called more than once."""


class Session:
    """A WakeSession: one ScoreStream, and one Trigger per word."""

    def __init__(self, stream: ScoreStream, triggers: Mapping[str, Trigger]) -> None:
        self._stream = stream
        self._triggers = triggers
        self._closed = False

    def push(self, pcm: bytes) -> list[Hit]:
        """:raises ValueError: half a frame, which is the caller's mistake."""
        if self._closed:
            raise EngineFailed("this wake word session is closed")
        if len(pcm) % SPEECH.frame_bytes:
            raise ValueError(f"{len(pcm)} bytes: expected whole frames of {SPEECH.frame_bytes} bytes")
        return [
            Hit(word, score, frame)
            for word, score, frame in self._stream.push(pcm)
            if self._triggers[word].update(score, frame)
        ]

    def close(self) -> None:
        self._closed = True
        self._stream.close()
