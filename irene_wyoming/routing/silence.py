"""WorthHearing: leaves out the silence before and after speech, which costs work and tells an engine nothing."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from irene_wyoming.audio.format import AudioFormat

LEAD_S = 0.5
"""Audio kept before speech: its first sounds are soft, and a voice is only recognised after 0.1 s."""

TAIL_S = 0.3
"""Audio kept after speech: last sounds are soft, too, and engines want some silence to be sure of the last word."""


class Sound(Enum):
    """What a piece of audio is."""

    UNKNOWN = "unknown"
    """Nobody has looked."""
    SPEECH = "speech"
    SILENCE = "silence"
    PAUSE = "pause"
    """The end of speech lies in it: silence from here on, as far as is known."""


def sound_of(*, spoke: bool, began: bool, speaks: bool) -> Sound:
    """What a piece is, by whether somebody spoke at its start, began to in it, and speaks at its end."""
    if speaks:
        return Sound.SPEECH
    return Sound.PAUSE if spoke or began else Sound.SILENCE


@dataclass(frozen=True, slots=True)
class Piece:
    """Some audio of an utterance."""

    pcm: bytes
    sound: Sound


class WorthHearing:
    """One engine's view of an utterance.

    :param everything: the engine wants the silence, too.
    """

    def __init__(self, form: AudioFormat, *, everything: bool = False) -> None:
        self._form = form
        self._everything = everything
        self._spoken = False
        self._kept: deque[bytes] = deque()  # silence that matters if more speech comes
        self._kept_s = 0.0

    def push(self, piece: Piece) -> Iterator[bytes]:
        """What the engine is to hear now: nothing during silence, all of a pause when speech goes on after it."""
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
        """What is to be heard of the silence after the last speech; nothing where nobody has spoken."""
        left_s = TAIL_S if self._spoken else 0.0
        for pcm in self._kept:
            if left_s <= 0:
                return
            yield pcm
            left_s -= self._form.seconds(len(pcm))
