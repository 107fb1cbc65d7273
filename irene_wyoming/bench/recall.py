"""Measures whether wake words survive a conversion. Recordings at 48 kHz get noise or tones above the band of speech.
Then they go through each method, and through an ideal brick wall.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.bench.engines import wake_engine
from irene_wyoming.bench.methods import method
from irene_wyoming.bench.rows import RecallRow
from irene_wyoming.engines.base import WakeEngine

Samples = NDArray[np.float64]

BRICK_WALL = "brick wall"
"""The reference: a spectrum with everything above half the target's rate removed."""

NOISE = "noise"
TONES = "tones"
SOURCE = AudioFormat(48_000, 2, 1)
BAND = (8_000, 20_000)
"""Band of the noise, Hz."""

PITCHES = (8_500, 9_700, 11_300, 13_100, 14_900, 17_300, 19_100)
"""Pitches of the tones, Hz. Without a filter they fold to 7.5, 6.3, 4.7, 2.9, 1.1, 1.3 and 3.1 kHz."""

TAIL_S = 0.5
"""Seconds of quiet after the word, with noise or tones."""

CHUNK_BYTES = 640
PEAK = 0.95
"""Peak of the mix, as a share of full scale: speech and addition are softened together, so nothing clips."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording of one word: 16 kHz, 16 bit, mono."""

    name: str
    word: str
    pcm: bytes

    def after(self, quiet_s: float) -> "Spoken":
        """The recording after more quiet. Engines look every 30 or 80 ms, so a word near the limit is heard only at
        some places. Compare methods over several places.
        """
        return Spoken(f"{self.name} after {quiet_s} s", self.word, bytes(round(quiet_s * SPEECH.rate) * 2) + self.pcm)


@dataclass(frozen=True, slots=True)
class Added:
    """Sound that is mixed in."""

    kind: str
    """Kind of the sound: NOISE or TONES."""
    level_db: float
    """Level relative to the loud parts of the speech, dB."""


def measure(
    engines: Sequence[str], methods: Sequence[str], recordings: Sequence[Spoken], added: Sequence[Added]
) -> list[RecallRow]:
    """Play recordings with each addition through each method, the brick wall first, to engines that know their words.

    :raises EngineUnavailable: one of the engines is not installed.
    """
    rows = []
    for name in engines:
        with closing(wake_engine(name)) as engine:
            known = [model.name for model in engine.models()]
            some = [recording for recording in recordings if recording.word in known]
            for addition in added:
                sounds = {recording: mixed(recording, addition) for recording in some}
                rows += [listen(engine, way, sounds, addition) for way in (BRICK_WALL, *methods)]
    return rows


def listen(engine: WakeEngine, way: str, sounds: Mapping[Spoken, bytes], added: Added) -> RecallRow:
    """Measure one engine, method and addition: the words heard in each recording."""
    words = [model.name for model in engine.models()]
    heard, others = [], []
    for recording, pcm in sounds.items():
        found = hits(engine, words, converted(pcm, way))
        heard += [recording.name] if recording.word in found else []
        others += [f"{recording.name}: {word}" for word in found if word != recording.word]
    return RecallRow(engine.name, way, added.kind, added.level_db, len(sounds), tuple(heard), tuple(others))


def hits(engine: WakeEngine, words: Sequence[str], pcm: bytes) -> list[str]:
    """List every word that is heard, once."""
    with closing(engine.session(words)) as session:
        pieces = (pcm[at : at + CHUNK_BYTES] for at in range(0, len(pcm), CHUNK_BYTES))
        return list(dict.fromkeys(hit.model for piece in pieces for hit in session.push(piece)))


def converted(pcm: bytes, way: str) -> bytes:
    if way == BRICK_WALL:
        samples = resized(np.frombuffer(pcm, "<i2").astype(np.float64), SOURCE.rate, SPEECH.rate)
        return bytes(np.clip(np.rint(samples), -32_768, 32_767).astype("<i2").tobytes())
    stream = method(way).open(SOURCE, SPEECH)
    size = SOURCE.rate // 50 * SOURCE.frame_bytes
    return b"".join([*(stream.push(pcm[at : at + size]) for at in range(0, len(pcm), size)), stream.flush()])


def mixed(recording: Spoken, added: Added) -> bytes:
    """Mix the microphone's audio: 48 kHz, 16 bit, mono."""
    word = np.frombuffer(recording.pcm, "<i2") / 2**15
    speech = resized(np.concatenate((word, np.zeros(round(TAIL_S * SPEECH.rate)))), SPEECH.rate, SOURCE.rate)
    addition = SOUNDS[added.kind](len(speech))
    addition *= loudness(speech) * 10 ** (added.level_db / 20) / np.sqrt(np.mean(addition**2))
    both = speech + addition
    both *= min(1.0, PEAK / np.abs(both).max())
    return np.rint(both * (2**15 - 1)).astype("<i2").tobytes()


def loudness(speech: Samples) -> float:
    """Root mean square of the frames at most 30 dB below the loudest 20 ms of the speech."""
    size = SOURCE.rate // 50
    power = np.mean(speech[: len(speech) // size * size].reshape(-1, size) ** 2, axis=1)
    return float(np.sqrt(power[power > power.max() / 1_000].mean()))


def resized(samples: Samples, rate: int, wanted: int) -> Samples:
    """Resample by the spectrum: cut it off, or extend it with zeros."""
    size = len(samples) * wanted // rate
    spectrum = np.fft.rfft(samples)
    lower = min(len(samples), size)
    kept = np.zeros(size // 2 + 1, complex)
    kept[: (lower - 1) // 2 + 1] = spectrum[: (lower - 1) // 2 + 1]  # all below half the lower rate
    return np.fft.irfft(kept, size) * (wanted / rate)


def noise(size: int) -> Samples:
    spectrum = np.fft.rfft(np.random.default_rng(5).normal(size=size))
    hz = np.fft.rfftfreq(size, 1 / SOURCE.rate)
    spectrum[(hz < BAND[0]) | (hz > BAND[1])] = 0
    return np.fft.irfft(spectrum, size)


def tones(size: int) -> Samples:
    time = np.arange(size) / SOURCE.rate
    phases = np.random.default_rng(6).uniform(0, 2 * np.pi, len(PITCHES))
    total: Samples = np.sin(2 * np.pi * np.outer(PITCHES, time) + phases[:, None]).sum(axis=0)
    return total


SOUNDS: Mapping[str, Callable[[int], Samples]] = {NOISE: noise, TONES: tones}


def worse(rows: Sequence[RecallRow]) -> Iterator[tuple[RecallRow, tuple[str, ...]]]:
    """Rows with words lost or made up compared with the brick wall, and those recordings."""
    ideal = {(row.engine, row.added, row.level_db): row for row in rows if row.method == BRICK_WALL}
    for row in rows:
        reference = ideal[row.engine, row.added, row.level_db]
        lost = [name for name in reference.heard if name not in row.heard]
        made_up = [name for name in row.others if name not in reference.others]
        if lost or made_up:
            yield row, (*lost, *made_up)
