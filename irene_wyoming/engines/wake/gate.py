"""Gate: lets a wake word engine rest while a room's sound does not change.

GatedEngine is a WakeEngine around another one. Its sessions give the engine nothing after two seconds of unchanged
sound, be it silence, a fan or hiss. A change in any band of speech opens the gate. The engine then also hears the two
seconds before, as far as it looks back, so that it loses no word.
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
"""Frames of a block, 60 ms: shorter than a syllable, long enough to tell steady noise from changing noise."""

BANDS_HZ = (100, 400, 1_000, 2_000, 4_000, 8_000)
"""Edges of the bands, Hz. Each band is compared with itself: a vowel in noise stands out in one of them."""

DEVIATIONS = 8.0
"""Largest range of unchanged sound, in standard deviations of steady noise. Noise exceeds it every few minutes, and
then wakes the engine for two seconds. A word has to stand out by half of it.
"""

STEADY_BLOCKS = 34
"""Blocks (2 s) without a change after which the gate closes: longer than any pause in a word."""

STEPS = 4
"""Blocks in 240 ms, a multiple of every engine's step. Multiples of it are left out, so that the engine's steps stay in
place.
"""

BEFORE_BLOCKS = 36
"""Least blocks (2.16 s) that the engine hears from before a change. openWakeWord looks back 2.0 s. With half a second,
one of a hundred words in noise was lost.
"""

LEAST_BEFORE_BLOCKS = 1
"""Least blocks from before a change where many gates open at once: a word's first soft sound. Up to STEPS - 1 more keep
the engine's steps in place.
"""

AGAIN_S = 0.1
"""Seconds within AGAIN_WITHIN_S that all streams together may take to hear earlier audio again. Otherwise a slammed
door in eight rooms would delay a word by 1.5 s on a quarter of a core, and as long again to catch up.
"""

AGAIN_WITHIN_S = 1.0

BLOCK_BYTES = BLOCK * SPEECH.frame_bytes

LOOK_BLOCKS = 2 * STEPS
"""Blocks (480 ms) per look at the sound, since a look at eight costs as much as two looks at one. A closed gate opens
later by no more than that. The engine then catches up within 50 ms, before the shortest word of half a second ends.
"""

LOOK_BYTES = LOOK_BLOCKS * BLOCK_BYTES

SILENCE = 4.0
"""Mean square, in 16-bit steps (-84 dBFS), below which a band is rounding, and no change."""

WINDOW = np.hanning(BLOCK).astype(np.float32)

EDGES = [round(hz * BLOCK / SPEECH.rate) for hz in BANDS_HZ]

LIMITS_DB: list[float] = (DEVIATIONS * 10 / np.log(10) / np.sqrt(np.diff(EDGES) / 1.94)).tolist()
"""The limit of each band, dB. Noise power in n bins has a relative standard deviation of 1 / sqrt(n); a Hann window
merges 1.94 bins.
"""


FIRST_PARTS = [2 * edge for edge in EDGES[:-1]]
"""First parts of each band, in a spectrum whose real and imaginary parts lie side by side."""

ROUNDING = (SILENCE * BLOCK * np.diff(EDGES)).astype(np.float32)
"""Power of SILENCE in each band."""


def band_levels(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Power of blocks in each band, dB with an arbitrary reference: ``(blocks, BLOCK)`` gives ``(blocks, bands)``."""
    parts = np.fft.rfft(samples * WINDOW).view(np.float32)
    levels = np.add.reduceat(np.square(parts, out=parts), FIRST_PARTS, axis=-1)
    levels += ROUNDING
    return np.multiply(np.log10(levels, out=levels), 10, out=levels)


class Steady:
    """Measures how long a sound has stayed the same."""

    def __init__(self) -> None:
        self._least: Sequence[float] = ()
        self._most: Sequence[float] = ()
        self.blocks = 0
        """Number of blocks in a row without a change."""

    def add(self, levels: Sequence[float]) -> None:
        """Add one block, given as dB of each band. It uses plain floats, since numpy is slower for five numbers."""
        least, most = [*map(min, self._least, levels)], [*map(max, self._most, levels)]
        if self.blocks and all(map(le, map(sub, most, least), LIMITS_DB)):
            self._least, self._most = least, most
            self.blocks += 1
        else:
            self._least = self._most = levels
            self.blocks = 1


class Again:
    """Limits how much earlier audio the streams of one engine may hear again. For the engines' thread.

    A single stream hears all of it. Several share AGAIN_S, and each hears at least LEAST_BEFORE_BLOCKS.

    :param clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._streams: set[int] = set()
        self._took: dict[int, tuple[float, float]] = {}  # by stream: the start of hearing again, and its seconds
        self._block_s = 0.0  # seconds of one block the last time; 0: unknown

    def joined(self, stream: int) -> None:
        """Add a stream, which may open its gate when others do."""
        self._streams.add(stream)

    def blocks(self, stream: int, kept: int) -> int:
        """How many of the kept blocks a stream may hear whose gate opens now."""
        since = self._clock() - AGAIN_WITHIN_S
        self._took = {one: took for one, took in self._took.items() if took[0] >= since}
        if self._streams <= {stream} or not self._block_s:
            return kept
        others_s = sum(seconds for one, (_, seconds) in self._took.items() if one != stream)
        most = max(LEAST_BEFORE_BLOCKS, int((AGAIN_S - others_s) / self._block_s))
        return kept - max(0, kept - most) // STEPS * STEPS  # the engine's steps stay in place

    def heard(self, stream: int, blocks: int, began: float) -> None:
        """Take note that a stream has heard blocks again from ``began`` until now."""
        seconds = self._clock() - began
        self._took[stream] = began, seconds
        self._block_s = max(seconds / blocks, 1e-9)

    def left(self, stream: int) -> None:
        """Remove a stream."""
        self._streams.discard(stream)
        self._took.pop(stream, None)

    def now(self) -> float:
        return self._clock()


class GatedEngine(WrappedEngine):
    """An engine that rests while the sound does not change."""

    def __init__(self, engine: WakeEngine) -> None:
        """:param engine: an engine whose format is SPEECH."""
        super().__init__(engine)
        self._again = Again()

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> WakeSession:
        """Open a gated session; raises UnknownModel where a name is not among ``models()``."""
        spared = metrics.SPARED_SECONDS.labels(self.name).inc
        return GatedSession(lambda shown: self._engine.session(models, settings, shown), on_score, spared, self._again)


class GatedSession:
    """One stream. Frames of hits and scores count the whole stream, whatever part of it the engine got.

    The engine's part does not depend on how the stream is cut.
    """

    def __init__(
        self,
        make: Callable[[OnScore | None], WakeSession],
        on_score: OnScore | None = None,
        on_spared: Callable[[float], None] = lambda _seconds: None,
        again: Again | None = None,
    ) -> None:
        """:param make: opens the engine's session with a callback for its scores.
        :param on_spared: called with the seconds of audio that the engine did not get.
        :param again: the limit shared by the engine's streams; None: this one is alone.
        """
        self._again = again or Again()
        self._again.joined(id(self))
        self._on_score = on_score
        self._on_spared = on_spared
        self._steady = Steady()
        self._begun = b""  # audio since the last look; an open gate has passed it on already
        self._kept: bytes | None = None  # the last blocks before a closed gate; None: it is open
        self._spared = 0  # frames that the engine did not get
        self._session = make(None if on_score is None else self._show)

    @property
    def needs(self) -> int:
        if self._kept is None:
            return self._session.needs
        return SPEECH.frames(LOOK_BYTES - len(self._begun))

    def push(self, pcm: bytes) -> Sequence[Hit]:
        """Take audio; raises ValueError for half a frame, which is the caller's mistake."""
        if len(pcm) % SPEECH.frame_bytes:
            raise ValueError(f"{len(pcm)} bytes: expected whole frames of {SPEECH.frame_bytes} bytes")
        audio = self._begun + pcm
        since = len(self._begun)  # offset in audio behind which an open gate has passed nothing on yet
        place = 0  # offset in audio up to which it was examined
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
                end = since + BLOCK_BYTES  # later blocks are examined by an open gate
            place = end
        self._begun = audio[place:]
        if self._kept is None and since < len(audio):
            hits += self._listen(audio[since:])
        return hits

    def close(self) -> None:
        self._on_score = None  # breaks a cycle with the holder of this session, as in the engines' sessions
        self._again.left(id(self))
        self._session.close()

    def _to_look_at(self, blocks: int) -> int:
        """How many of these blocks to examine now: an open gate waits for LOOK_BLOCKS."""
        if self._kept is None and blocks < LOOK_BLOCKS:
            return 0
        return min(blocks, LOOK_BLOCKS)

    def _change(self, levels: Sequence[Sequence[float]]) -> int | None:
        """The first block that differs from those before; None: none does."""
        for number, level in enumerate(levels):
            self._steady.add(level)
            if self._steady.blocks == 1:
                return number
        return None

    def _keep(self, blocks: bytes) -> bytes:
        """Keep the last audio that the engine does not get; returns all that is kept."""
        assert self._kept is not None
        self._kept += blocks
        self._kept = self._spare(self._kept, max(0, len(self._kept) // BLOCK_BYTES - BEFORE_BLOCKS) // STEPS * STEPS)
        return self._kept

    def _hear_again(self, kept: bytes) -> list[Hit]:
        """Let the engine hear the audio kept before a change, as far as other streams leave time."""
        blocks = len(kept) // BLOCK_BYTES
        wanted = self._again.blocks(id(self), blocks)
        began = self._again.now()
        hits = self._listen(self._spare(kept, blocks - wanted))
        if wanted:
            self._again.heard(id(self), wanted, began)
        return hits

    def _spare(self, kept: bytes, blocks: int) -> bytes:
        """Leave out the first of these blocks for good; returns the rest."""
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
