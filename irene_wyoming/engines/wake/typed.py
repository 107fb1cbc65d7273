"""TypedEngine: wake words that are only typed. They have no model; a recogniser looks for them.

The engine proposes all speech, and the server's second look decides.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import NO_SETTINGS, Hit, ModelInfo, OnScore, WakeSettings
from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.session import LONGEST_WAIT
from irene_wyoming.engines.wake.spellings import Phrase, typed
from irene_wyoming.engines.wake.words import chosen

FRAME = 320
"""Samples per frame, 20 ms."""

LONG = 32_000
"""Samples per look, 2 s: the word and the quiet before it. Without that quiet, a fifth of the words beside a kitchen
were lost.
"""

EVERY = 24
"""Frames, 480 ms, from one look to the next while somebody speaks."""

SPOKEN = 8
"""Least frames of speech (160 ms) within the last EVERY for a look: no word is shorter."""

PAUSE = 7
"""Frames without speech (140 ms) after which a look is taken at once."""

FLOOR_FRAMES = 150
"""Frames (3 s) whose quieter ones are the noise of the room."""

FLOOR_SHARE = 0.15

ABOVE_DB = 6.0
"""Decibels above that floor from which somebody speaks."""

LEAST_DB = -78.0
"""Level of differences of neighbouring samples, dBFS, below which nothing is speech."""


class Voice:
    """Finds speech in one stream, and the moments for looks. Pure."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=FLOOR_FRAMES)
        self._measured = 0
        self._floor = LEAST_DB
        self._recent: deque[bool] = deque(maxlen=EVERY)
        self._since = EVERY
        """Frames since the last look."""
        self._silent = PAUSE
        """Frames in a row without speech."""
        self._unseen = 0
        """Frames of speech since the last look."""

    def frame(self, samples: NDArray[np.float32]) -> bool:
        """Take a frame.

        :param samples: ``(FRAME,)``, full scale 1.
        :returns: whether to look at the speech up to here.
        """
        step = np.diff(samples)
        level = 10 * np.log10(float(step @ step) / len(step) + 1e-9)
        if level > LEAST_DB - 10:  # zeros are no noise of a room
            self._levels.append(level)
            self._measured += 1
            if self._measured % 5 == 1:
                self._floor = sorted(self._levels)[int(len(self._levels) * FLOOR_SHARE)]
        speech = level > max(self._floor + ABOVE_DB, LEAST_DB)
        self._recent.append(speech)
        self._since += 1
        self._silent = 0 if speech else self._silent + 1
        self._unseen += speech
        paused = self._silent == PAUSE and self._unseen >= 2
        if not ((paused or self._since >= EVERY) and sum(self._recent) >= SPOKEN and self._unseen):
            return False
        self._since = self._unseen = 0
        return True


class TypedSession:
    """One stream. It makes a proposal whenever speech may be one of the words."""

    def __init__(self, phrases: Sequence[tuple[str, Phrase]]) -> None:
        self._phrases = tuple(phrases)
        self._voice = Voice()
        self._kept = np.zeros(LONG, np.float32)
        self._rest = b""
        self._frame = 0

    @property
    def needs(self) -> int:
        return LONGEST_WAIT // 2 - len(self._rest) // SPEECH.frame_bytes

    def push(self, pcm: bytes) -> list[Hit]:
        pcm = self._rest + pcm
        end = len(pcm) - len(pcm) % (FRAME * SPEECH.frame_bytes)
        self._rest = pcm[end:]
        found: list[Hit] = []
        heard = np.frombuffer(pcm[:end], "<i2").astype(np.float32) / np.float32(32_768)
        for samples in heard.reshape(-1, FRAME):
            self._frame += FRAME
            self._kept = np.roll(self._kept, -FRAME)
            self._kept[-FRAME:] = samples
            if self._voice.frame(samples):
                audio = (self._kept * 32_768).astype("<i2").tobytes()
                found.append(Proposed(self._phrases[0][0], 0.0, self._frame, audio=audio, phrases=self._phrases))
        return found

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


class TypedEngine:
    """The engine of typed words.

    :param words: typed words, e.g. ``smart mirror``, which are both phrase and model name.
    """

    name = "typed"
    format: AudioFormat = SPEECH

    def __init__(self, words: Sequence[str]) -> None:
        self._phrases = {"_".join(word.casefold().split()): typed(" ".join(word.casefold().split())) for word in words}

    def models(self) -> list[ModelInfo]:
        return [
            ModelInfo(
                name=name,
                languages=("en",),
                description=f"{phrase.spellings[0].title()} (typed)",
                author="you",
                url="",
                phrase=phrase.spellings[0].title(),
                threshold=0.5,
            )
            for name, phrase in self._phrases.items()
        ]

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,  # noqa: ARG002  # of the protocol
        on_score: OnScore | None = None,  # noqa: ARG002  # likewise
    ) -> TypedSession:
        """Open a session. Its hits are ``Proposed``, and it has no scores.

        :raises UnknownModel: a name is not among ``models()``.
        """
        return TypedSession([(name, self._phrases[name]) for name in chosen(models, self._phrases, self.name)])

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""
