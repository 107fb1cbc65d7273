"""Speech for training the test models: English commands by flite, with the time of every phone, and German ones by
espeak-ng.

Needs flite, espeak-ng, numpy and soxr. The tests use the committed models and need none of this.
"""

import subprocess
import tempfile
import wave
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import soxr
from numpy.typing import NDArray

from irene_wyoming.language.commands import command_grammar
from irene_wyoming.language.vocabulary import Vocabulary
from tests.engines.asr.sentences import HELD_OUT_COMMANDS, TUNING_COMMANDS

VOICES = ("slt", "rms", "kal16", "awb")
GERMAN_VOICES = ("de+f1", "de+f2", "de+m1", "de+m3", "de+m7")
RATE = 16_000

VARIANTS = {
    # Words that flite pronounces differently within a sentence and alone.
    "a": ("ey", "ax"),
    "the": ("dh ax", "dh iy"),
    "to": ("t ax", "t uw"),
    "for": ("f ao r", "f er"),
    "close": ("k l ow z", "k l ow s"),
    "decrease": ("d iy k r iy s", "d ih k r iy s"),
    "reading": ("r iy d ih ng", "r eh d ih ng"),
}


@dataclass(frozen=True)
class Said:
    """One synthesised sentence."""

    text: str
    voice: str
    samples: NDArray[np.float32]
    """Samples at 16 kHz, full scale 32768."""
    phones: tuple[tuple[str, float], ...]
    """Pairs of a phone and the second at which it ends; silence is ``pau``."""


def sentences(random: Random, count: int) -> list[str]:
    """Commands for training, some repeated, with every word a few times; none of the held-out ones."""
    grammar = command_grammar(Vocabulary(), ())
    sizes = [1] * len(grammar.arcs)  # how many sentences may follow each state
    for state in reversed(range(len(grammar.arcs))):
        sizes[state] = (state in grammar.ends) + sum(sizes[arc.target] for arc in grammar.arcs[state])

    def draw() -> str:
        state, said = 0, list[str]()
        while True:
            ways = [(arc.said[0], arc.target) for arc in grammar.arcs[state]]
            ways += [("", -1)] if state in grammar.ends else []
            # The square root: neither as many "set ... to NUMBER" as there are numbers, nor as many "never mind".
            weights = [sizes[target] ** 0.5 if word else 1.0 for word, target in ways]
            (word, state), *_ = random.choices(ways, weights)
            if not word:
                return " ".join(said)
            said.append(word)

    chosen, seen = list(TUNING_COMMANDS), Counter(word for text in TUNING_COMMANDS for word in text.split())
    held_out = set(HELD_OUT_COMMANDS)
    while len(chosen) < count:
        text = draw()
        rare = any(seen[word] < 10 for word in text.split())
        if text not in held_out and (rare or random.random() < 0.1):
            chosen.append(text)
            seen.update(text.split())
    return chosen


def say(text: str, voice: str, stretch: float, speed: float) -> Said:
    """:param stretch: factor of the durations.
    :param speed: factor of the sound itself, which moves pitch and formants.
    """
    how = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text, "-o"]
    samples, told = spoken(how, speed)
    phones = [part.partition(":") for part in told.split()]
    return Said(text, voice, samples, tuple((name, float(end) / speed) for name, _, end in phones))


def say_german(text: str, voice: str, words_per_minute: int, speed: float) -> Said:
    """Synthesise by espeak-ng, which gives no times. Words stand for phones; their ends are estimated by length."""
    how = ["espeak-ng", "-v", voice, "-s", str(words_per_minute)]
    samples = trimmed(spoken([*how, text, "-w"], speed)[0])
    lengths = np.cumsum([len(trimmed(spoken([*how, word, "-w"], speed)[0])) for word in text.split()])
    ends = lengths / lengths[-1] * len(samples) / RATE
    return Said(text, voice, samples, (("pau", 0.0), *zip(text.split(), ends.tolist(), strict=True)))


def spoken(command: Sequence[str], speed: float) -> tuple[NDArray[np.float32], str]:
    """Run a program that writes a wav file; gives its audio at 16 kHz and its output."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        done = subprocess.run([*command, str(file)], check=True, capture_output=True, text=True)
        with wave.open(str(file)) as reader:
            samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(np.float32)
            rate = reader.getframerate()
    return np.asarray(soxr.resample(samples, rate * speed, RATE), np.float32), done.stdout


def trimmed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the silence around the speech."""
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def corpus(random: Random, texts: list[str]) -> Iterator[Said]:
    for text in texts:
        yield say(text, random.choice(VOICES), random.uniform(0.8, 1.25), random.uniform(0.92, 1.08))


def german_corpus(random: Random, texts: list[str]) -> Iterator[Said]:
    for text in texts:
        yield say_german(text, random.choice(GERMAN_VOICES), random.randint(120, 180), random.uniform(0.92, 1.08))


def heard(said: Said, random: Random) -> tuple[NDArray[np.float32], list[tuple[str, float]]]:
    """Vary a sentence like a microphone: silence around it, another level, mostly some noise.

    Samples are whole numbers, as 16 bit audio has them.
    """
    before, after = random.uniform(0.05, 0.6), random.uniform(0.05, 0.6)
    samples = np.pad(said.samples, (round(before * RATE), round(after * RATE)))
    level = np.sqrt(np.mean(said.samples**2))
    if random.random() < 0.7:
        samples = samples + level * 10 ** (-random.uniform(5, 40) / 20) * noise(len(samples), random)
    samples = samples * 10 ** (random.uniform(-14, 6) / 20)
    phones = [(name, end + before) for name, end in said.phones]
    phones[-1] = (phones[-1][0], len(samples) / RATE)
    return np.clip(np.rint(samples), -32768, 32767).astype(np.float32), phones


def noise(length: int, random: Random) -> NDArray[np.float64]:
    """White or pink noise of power 1."""
    white = np.random.default_rng(random.randrange(2**32)).standard_normal(length)
    if random.random() < 0.5:
        return white
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(frequencies, 20.0)), length)
    return np.asarray(pink / pink.std())


def lexicon(words: set[str]) -> dict[str, tuple[str, ...]]:
    """Pronunciations by word, as phones with blanks between them."""
    found = {}
    for word in sorted(words):
        command = ["flite", "-voice", "kal16", "-ps", "-t", word, "-o", "/dev/null"]
        phones = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        alone = " ".join(phone for phone in phones if phone != "pau")
        found[word] = tuple(dict.fromkeys((*VARIANTS.get(word, ()), alone)))
    return found
