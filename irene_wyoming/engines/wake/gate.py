"""Gate: spares a wake word engine the time in which a room stays as it is.

GatedEngine is a WakeEngine around another one. Its sessions give the engine nothing while the sound has been the same
for two seconds, be it silence, a fan or the microphone's own hiss: no word has been spoken in them. What changes in any
band of speech opens the gate, and the engine hears that and the two seconds before: as much as it looks back, so that a
word is heard as if there were no gate.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import le, sub

import numpy as np
from numpy.typing import NDArray

from irene_wyoming import metrics
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import NO_SETTINGS, Hit, OnScore, Score, WakeEngine, WakeSession, WakeSettings
from irene_wyoming.engines.wake.wrapped import WrappedEngine

BLOCK = 960
"""Frames, 60 ms: shorter than a syllable, long enough to tell noise that goes on from noise that changes."""

BANDS_HZ = (100, 400, 1_000, 2_000, 4_000, 8_000)
"""Edges. Each is compared with itself: a vowel that noise drowns as a whole stands out of it in one of them."""

DEVIATIONS = 8.0
"""Between the least and the greatest of what is the same, in standard deviations of noise that goes on. Noise goes
beyond it every few minutes, and then wakes the engine for two seconds; a word has to stand out by half of it."""

STEADY_BLOCKS = 34
"""2 s. After so long without a change the gate closes: longer than any pause in a word."""

STEPS = 4
"""Blocks, 240 ms: a multiple of every engine's step. The engine is spared multiples of it, so that its steps fall where
they would have fallen."""

BEFORE_BLOCKS = 36
"""What the engine hears at least of the time before a change, 2.16 s. openWakeWord looks back 2.0 s: with
half a second, one of a hundred words in noise was lost."""

LEAST_BEFORE_BLOCKS = 1
"""What it hears at least of that where many gates open at once: a word's first sound, before it is loud. Steps of the
engine fall where they would have fallen, so that it is up to STEPS - 1 blocks more."""

AGAIN_S = 0.1
"""What streams may take within AGAIN_WITHIN_S to hear again what they were spared, by the clock, all together. Eight
rooms in which a slammed door is heard would else delay each other, and a word in one of them, by 1.5 s on a quarter of
a core, and it takes as long again to catch up."""

AGAIN_WITHIN_S = 1.0

BLOCK_BYTES = BLOCK * SPEECH.frame_bytes

LOOK_BLOCKS = 2 * STEPS
"""480 ms from one look at the sound to the next, since one look at eight blocks costs as much as two at one each. What
opens a closed gate is heard later by no more than that, and the engine then catches up within 50 ms, before the word is
over: the shortest ones last half a second."""

LOOK_BYTES = LOOK_BLOCKS * BLOCK_BYTES

SILENCE = 4.0
"""Mean square, in steps of a 16-bit sample, -84 dBFS: what is softer in every band is rounding, and no change."""

WINDOW = np.hanning(BLOCK).astype(np.float32)

EDGES = [round(hz * BLOCK / SPEECH.rate) for hz in BANDS_HZ]

LIMITS_DB: list[float] = (DEVIATIONS * 10 / np.log(10) / np.sqrt(np.diff(EDGES) / 1.94)).tolist()
"""By band. The power of noise in n bins has a relative standard deviation of 1 / sqrt(n); a Hann window makes of each
1.94 bins one."""


FIRST_PARTS = [2 * edge for edge in EDGES[:-1]]
"""The bins of each band, in a spectrum whose real and imaginary parts lie side by side."""

ROUNDING = (SILENCE * BLOCK * np.diff(EDGES)).astype(np.float32)
"""Power of SILENCE, by band."""


def band_levels(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Power of blocks in each band, dB of an arbitrary level: (blocks, BLOCK) -> (blocks, bands)."""
    parts = np.fft.rfft(samples * WINDOW).view(np.float32)
    levels = np.add.reduceat(np.square(parts, out=parts), FIRST_PARTS, axis=-1)
    levels += ROUNDING
    return np.multiply(np.log10(levels, out=levels), 10, out=levels)


class Steady:
    """For how long a sound has stayed the same."""

    def __init__(self) -> None:
        self._least: Sequence[float] = ()
        self._most: Sequence[float] = ()
        self.blocks = 0
        """Blocks in a row that were the same as each other."""

    def add(self, levels: Sequence[float]) -> None:
        """One block more: of each band, dB. Five numbers: numpy would take longer for them."""
        least, most = [*map(min, self._least, levels)], [*map(max, self._most, levels)]
        if self.blocks and all(map(le, map(sub, most, least), LIMITS_DB)):
            self._least, self._most = least, most
            self.blocks += 1
        else:
            self._least = self._most = levels
            self.blocks = 1


class Again:
    """How much of what they were spared the streams of one engine may hear again. For the engines' thread.

    A stream alone hears all of it. Several share AGAIN_S, and each hears LEAST_BEFORE_BLOCKS at least.

    :param clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._streams: set[int] = set()
        self._took: dict[int, tuple[float, float]] = {}  # by stream: when it began to hear again, and the seconds
        self._block_s = 0.0  # what one block took last; 0: nobody knows

    def joined(self, stream: int) -> None:
        """One stream more, which may open its gate when others do."""
        self._streams.add(stream)

    def blocks(self, stream: int, kept: int) -> int:
        """How many of so many kept blocks this stream may hear whose gate opens now."""
        since = self._clock() - AGAIN_WITHIN_S
        self._took = {one: took for one, took in self._took.items() if took[0] >= since}
        if self._streams <= {stream} or not self._block_s:
            return kept
        others_s = sum(seconds for one, (_, seconds) in self._took.items() if one != stream)
        most = max(LEAST_BEFORE_BLOCKS, int((AGAIN_S - others_s) / self._block_s))
        return kept - max(0, kept - most) // STEPS * STEPS  # steps fall where they would have fallen

    def heard(self, stream: int, blocks: int, began: float) -> None:
        """The stream has heard so many blocks again, from ``began`` until now."""
        seconds = self._clock() - began
        self._took[stream] = began, seconds
        self._block_s = max(seconds / blocks, 1e-9)

    def left(self, stream: int) -> None:
        """Who has left costs nothing."""
        self._streams.discard(stream)
        self._took.pop(stream, None)

    def now(self) -> float:
        return self._clock()


class GatedEngine(WrappedEngine):
    """An engine that rests while nothing changes."""

    def __init__(self, engine: WakeEngine) -> None:
        """:param engine: hears SPEECH."""
        super().__init__(engine)
        self._again = Again()

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> WakeSession:
        """:raises UnknownModel: a name is not among ``models()``."""
        spared = metrics.SPARED_SECONDS.labels(self.name).inc
        return GatedSession(lambda shown: self._engine.session(models, settings, shown), on_score, spared, self._again)


class GatedSession:
    """One stream. Frames of hits and scores are those of the whole stream, whatever part of it the engine was given.

    What the engine is given does not depend on how the stream is cut.
    """

    def __init__(
        self,
        make: Callable[[OnScore | None], WakeSession],
        on_score: OnScore | None = None,
        on_spared: Callable[[float], None] = lambda _seconds: None,
        again: Again | None = None,
    ) -> None:
        """:param make: gives the session of the engine, which shows its scores to what it is given.
        :param on_spared: is told how many seconds of audio the engine was not given.
        :param again: what the streams of the engine have in common; None: this one is alone.
        """
        self._again = again or Again()
        self._again.joined(id(self))
        self._on_score = on_score
        self._on_spared = on_spared
        self._steady = Steady()
        self._begun = b""  # since the last look; an open gate has let it through already
        self._kept: bytes | None = None  # the last blocks before a closed gate; None: it is open
        self._spared = 0  # frames that the engine was not given
        self._session = make(None if on_score is None else self._show)

    @property
    def needs(self) -> int:
        if self._kept is None:
            return self._session.needs
        return SPEECH.frames(LOOK_BYTES - len(self._begun))

    def push(self, pcm: bytes) -> Sequence[Hit]:
        """:raises ValueError: half a frame, which is the caller's mistake."""
        if len(pcm) % SPEECH.frame_bytes:
            raise ValueError(f"{len(pcm)} bytes: expected whole frames of {SPEECH.frame_bytes} bytes")
        audio = self._begun + pcm
        since = len(self._begun)  # in audio: what comes after it an open gate has not let through yet
        place = 0  # in audio: up to there it has been looked at
        hits: list[Hit] = []
        while blocks := self._to_look_at((len(audio) - place) // BLOCK_BYTES):
            end = place + blocks * BLOCK_BYTES
            samples = np.frombuffer(audio, "<i2", blocks * BLOCK, place).reshape(blocks, BLOCK)
            levels = band_levels(samples).tolist()
            if self._kept is None:
                for level in levels:
                    self._steady.add(level)
                if self._steady.blocks >= STEADY_BLOCKS:
                    hits += self._listen(audio[since:end])
                    self._kept = b""
            elif (change := self._change(levels)) is None:
                self._keep(audio[place:end])
            else:
                since = place + change * BLOCK_BYTES
                hits += self._hear_again(self._keep(audio[place:since]))
                self._kept = None
                end = since + BLOCK_BYTES  # those after it are looked at by an open gate
            place = end
        self._begun = audio[place:]
        if self._kept is None and since < len(audio):
            hits += self._listen(audio[since:])
        return hits

    def close(self) -> None:
        self._on_score = None  # as in the sessions of the engines: it may be of whoever holds this one
        self._again.left(id(self))
        self._session.close()

    def _to_look_at(self, blocks: int) -> int:
        """How many of so many blocks: an open gate waits until it can look at LOOK_BLOCKS together."""
        if self._kept is None and blocks < LOOK_BLOCKS:
            return 0
        return min(blocks, LOOK_BLOCKS)

    def _change(self, levels: Sequence[Sequence[float]]) -> int | None:
        """The first block that is not as those before; None: all are."""
        for number, level in enumerate(levels):
            self._steady.add(level)
            if self._steady.blocks == 1:
                return number
        return None

    def _keep(self, blocks: bytes) -> bytes:
        """Keep the last of the audio that the engine is not given, and return all that is kept."""
        assert self._kept is not None
        self._kept += blocks
        self._kept = self._spare(self._kept, max(0, len(self._kept) // BLOCK_BYTES - BEFORE_BLOCKS) // STEPS * STEPS)
        return self._kept

    def _hear_again(self, kept: bytes) -> list[Hit]:
        """What was kept before a change: all of it, or what there is time for where other streams want the same."""
        blocks = len(kept) // BLOCK_BYTES
        wanted = self._again.blocks(id(self), blocks)
        began = self._again.now()
        hits = self._listen(self._spare(kept, blocks - wanted))
        if wanted:
            self._again.heard(id(self), wanted, began)
        return hits

    def _spare(self, kept: bytes, blocks: int) -> bytes:
        """Never give the engine the first of these blocks; the rest of them."""
        self._spared += blocks * BLOCK
        self._on_spared(blocks * BLOCK / SPEECH.rate)
        return kept[blocks * BLOCK_BYTES :]

    def _listen(self, pcm: bytes) -> list[Hit]:
        return [replace(hit, frame=hit.frame + self._spared) for hit in self._session.push(pcm)]

    def _show(self, score: Score) -> None:
        assert self._on_score is not None
        if self._spared:
            score = score.later(self._spared)
        self._on_score(score)
