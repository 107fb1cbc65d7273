"""Makes irene_wyoming/learn/negatives.npz: the negative examples for learned words.

python -m tests.learn.make_negatives

Needs flite, espeak-ng and the dictionary of pocketsphinx. Words drawn at random from it, spoken by synthesised voices,
hold every sound of English in every neighbourhood; steady noises follow. The file holds openWakeWord's embeddings as
8-bit integers with a scale for each of their 96 values.
"""

import subprocess
import tempfile
import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soxr

from irene_wyoming.engines.base import EngineContext
from irene_wyoming.engines.registry import spec
from irene_wyoming.learn.augment import Samples, varied
from irene_wyoming.learn.examples import pcm

FLITE = ("rms", "slt", "awb", "kal16")
VOICES = (
    ("us", "m1"), ("us", "m3"), ("us", "m7"), ("us", "f1"), ("us", "f3"), ("gb", "m2"), ("gb", "f2"), ("gb", "f5"),
    ("gb-scotland", "m4"),
)  # fmt: skip
ESPEAK = tuple(f"en-{land}+{voice}" for land, voice in VOICES)
ROUNDS = 4
WORDS = 22
OUTPUT = Path(__file__).parents[2] / "irene_wyoming" / "learn" / "negatives.npz"


def words() -> list[str]:
    found = find_spec("pocketsphinx")
    assert found is not None
    assert found.origin is not None
    (path,) = Path(found.origin).parent.glob("model/en-us/cmudict-en-us.dict")
    return [line.split()[0] for line in path.read_text().splitlines() if line.split("\t")[0].split()[0].isalpha()]


def spoken(command: list[str]) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.wav"
        subprocess.run([*command, str(path)], check=True, capture_output=True)
        with wave.open(str(path), "rb") as file:
            rate, pcm = file.getframerate(), file.readframes(file.getnframes())
    speech = soxr.resample(np.frombuffer(pcm, "<i2").astype(np.float32), rate, 16_000)
    loud: Samples = speech / max(1e-6, np.abs(speech).max())
    return loud


def main() -> None:
    random = np.random.default_rng(7)
    known = words()
    wake = spec("wake", "openwakeword")
    options = {name: option.default for name, option in wake.options.items()}
    engine = wake.create(options, EngineContext())
    parts, starts = [], [0]
    for voice in (*FLITE, *ESPEAK) * ROUNDS:
        text = " ".join(random.choice(known, WORDS))
        flite, espeak = ["flite", "-voice", voice, "-t", text, "-o"], ["espeak-ng", "-v", voice, text, "-w"]
        parts.append(engine.embeddings(pcm(varied(spoken(flite if voice in FLITE else espeak), random))))
    noise = [random.normal(size=16_000 * 6) * level for level in (0.0, 0.0003, 0.003, 0.03)]
    parts += [engine.embeddings(pcm(sound.astype(np.float32))) for sound in noise]
    for part in parts:
        starts.append(starts[-1] + len(part))  # each rests on the one before
    every = np.concatenate(parts)
    scale = np.abs(every).max(0) / 127
    whole = np.round(every / scale).astype(np.int8)
    np.savez_compressed(OUTPUT, embeddings=whole, scale=scale.astype(np.float32), starts=np.array(starts))


if __name__ == "__main__":
    main()
