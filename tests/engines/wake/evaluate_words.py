"""How often the engines hear words that nobody said, and how many that somebody did. Needs flite and espeak-ng.

    python -m tests.engines.wake.evaluate_words              30 minutes of other sounds, every word in three rates
    python -m tests.engines.wake.evaluate_words --minutes 5  less of them

Others are sentences (half of them commands) by four voices of flite and four of espeak-ng at three speeds, a third of
them in noise, and in every sixth minute noise and music-like tones alone. Words are those of tests/speech, as a
microphone of 16, 44.1 and 48 kHz hears them. Each engine listens for all of its words with its default settings; audio
of other rates is converted as the server does.
"""

import argparse
import subprocess
import tempfile
import wave
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import numpy as np
import soxr
from numpy.typing import NDArray

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.bench.engines import wake_engine as load
from irene_wyoming.engines.base import WakeEngine
from tests.engines.asr import sentences
from tests.engines.asr.guided import evaluate as speech
from tests.engines.wake.speech import SYNTHESISED, read, word_of

FLITE = speech.VOICES
ESPEAK = ("en-us+m3", "en-us+f2", "en-gb+m1", "en-gb-scotland+f4")
SPEEDS = (0.9, 1.0, 1.15)
ENGINES = ("openwakeword", "microwakeword")
RATES = (16_000, 44_100, 48_000)
PUSH_BYTES = 2_560

Samples = NDArray[np.float64]


def said(text: str, voice: str, stretch: float, folder: Path) -> Samples:
    """Synthesise a sentence at 16 kHz."""
    file = folder / "said.wav"
    if voice in FLITE:
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o", str(file)]
    else:
        command = ["espeak-ng", "-v", voice, "-s", str(round(175 / stretch)), "-w", str(file), text]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with wave.open(str(file)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(np.float64)
        return np.asarray(soxr.resample(samples, reader.getframerate(), SPEECH.rate))


def others(minutes: float, folder: Path) -> Iterator[bytes]:
    """Give minutes of sounds that are no wake word."""
    random = Random(11)
    texts = lines(sentences.HELD_OUT_COMMANDS) + lines(sentences.HELD_OUT_SPEECH) + lines(sentences.TUNING_SPEECH)
    size = 60 * SPEECH.rate
    for minute in range(round(minutes)):
        if minute % 6 == 5:
            yield pcm(tones(size, minute) if minute % 12 == 5 else speech.noise(size, "pink", minute) * 2000)
            continue
        samples = np.zeros(0)
        while len(samples) < size:
            spoken = said(random.choice(texts), random.choice(FLITE + ESPEAK), random.choice(SPEEDS), folder)
            samples = np.concatenate((samples, spoken, np.zeros(random.randrange(4_000, 16_000))))
        samples = samples[:size]
        if minute % 3 == 0:
            level = np.sqrt(np.mean(samples**2)) * 10 ** (-random.choice((10, 20)) / 20)
            samples = samples + level * speech.noise(size, random.choice(("white", "pink")), minute)
        yield pcm(samples)


def lines(text: str | Sequence[str]) -> list[str]:
    return [line.strip() for line in (text.splitlines() if isinstance(text, str) else text) if line.strip()]


def tones(size: int, seed: int) -> Samples:
    """Make chords of decaying notes with overtones, half a second each."""
    random = np.random.default_rng(seed)
    time = np.arange(SPEECH.rate // 2) / SPEECH.rate
    chords: list[Samples] = []
    while len(chords) * len(time) < size:
        notes = 110 * 2 ** (random.integers(0, 36, 4) / 12)
        partials = sum(np.sin(2 * np.pi * note * k * time) / k for note in notes for k in (1, 2, 3))
        chords.append(partials * np.exp(-4 * time) * 3000)
    return np.concatenate(chords)[:size]


def pcm(samples: Samples) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def heard(engine: WakeEngine, sound: bytes) -> list[str]:
    words = [model.name for model in engine.models()]
    with closing(engine.session(words)) as session:
        pieces = (sound[at : at + PUSH_BYTES] for at in range(0, len(sound), PUSH_BYTES))
        return [hit.model for piece in pieces for hit in session.push(piece)]


def at_rate(sound: bytes, rate: int) -> bytes:
    """The word as the engine gets it from a microphone of this rate."""
    if rate == SPEECH.rate:
        return sound
    samples = soxr.resample(np.frombuffer(sound, "<i2").astype(np.float64), SPEECH.rate, rate)
    converter = Converter(AudioFormat(rate, 2, 1), SPEECH, Quality.FAST)
    return converter.push(pcm(np.asarray(samples))) + converter.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    minutes = parser.parse_args().minutes
    engines = [load(name) for name in ENGINES]
    false: dict[str, Counter[str]] = {name: Counter() for name in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        for sound in others(minutes, Path(folder)):
            for engine in engines:
                false[engine.name].update(heard(engine, sound))
    for engine in engines:
        print(f"{engine.name}: {false[engine.name].total()} false accepts in {minutes:g} minutes", *false[engine.name])
        known = {model.name for model in engine.models()}
        spoken = [path for path in SYNTHESISED if word_of(path) in known]
        for rate in RATES:
            found = {path.stem: heard(engine, at_rate(read(path), rate)) for path in spoken}
            right = [name for name, words in found.items() if words == [name.rpartition("_")[0]]]
            missed = sorted(found.keys() - set(right))
            print(f"  {rate} Hz: {len(right)} of {len(spoken)} words", *(["missed:", *missed] if missed else []))
        engine.close()


if __name__ == "__main__":
    main()
