"""WorthHearing: leaves out the silence before and after speech, which costs work and tells an engine nothing."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from irene_wyoming.audio.format import AudioFormat

LEAD_S = 0.5
"""Seconds of audio kept before speech: first sounds are soft, and a voice is recognised 0.1 s late."""

TAIL_S = 0.3
"""Seconds of audio kept after speech: last sounds are soft, and engines need silence behind the last word."""


class Sound(Enum):
    """The kind of sound in a piece of audio."""

    UNKNOWN = "unknown"
    """The piece has not been examined."""
    SPEECH = "speech"
    SILENCE = "silence"
    PAUSE = "pause"
    """Speech ends in this piece, and silence follows as far as is known."""


def sound_of(*, spoke: bool, began: bool, speaks: bool) -> Sound:
    """Classify a piece: did somebody speak at its start, begin to speak in it, and speak at its end?"""
    if speaks:
        return Sound.SPEECH
    return Sound.PAUSE if spoke or began else Sound.SILENCE


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an utterance's audio."""

    pcm: bytes
    sound: Sound


class WorthHearing:
    """Selects the part of an utterance that one engine is to hear.

    :param everything: the engine wants the silence, too.
    """

    def __init__(self, form: AudioFormat, *, everything: bool = False) -> None:
        self._form = form
        self._everything = everything
        self._spoken = False
        self._kept: deque[bytes] = deque()  # silence that is needed if more speech comes
        self._kept_s = 0.0

    def push(self, piece: Piece) -> Iterator[bytes]:
        """Give the audio to hear now: nothing during silence, all of a pause once speech goes on after it."""
        if self._everything or piece.sound != Sound.SILENCE:
            self._spoken = True
            yield from self._kept
            yield piece.pcm
            self._kept.clear()
            self._kept_s = 0.0
            return
        self._kept.append(piece.pcm)
        self._kept_s += self._form.seconds(len(piece.pcm))
        while not self._spoken and self._kept_s - self._form.seconds(len(self._kept[0])) >= LEAD_S:
            self._kept_s -= self._form.seconds(len(self._kept.popleft()))

    def finish(self) -> Iterator[bytes]:
        """Give the silence to hear after the last speech; nothing where nobody has spoken."""
        left_s = TAIL_S if self._spoken else 0.0
        for pcm in self._kept:
            if left_s <= 0:
                return
            yield pcm
            left_s -= self._form.seconds(len(pcm))
