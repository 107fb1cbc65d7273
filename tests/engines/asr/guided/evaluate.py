"""How well guided understands commands and leaves other speech alone. Needs flite and espeak-ng, or people.

    python -m tests.engines.asr.guided.evaluate                    synthesised voices, held-out sentences
    python -m tests.engines.asr.guided.evaluate --people FOLDER    recordings of people: coffee, libri, alexa, ...

Synthesised: each sentence is said by four voices of flite and four of espeak-ng in turn, at 0.9, 1 or 1.15 of the usual
duration, in quiet, or with white or pink noise of 20 or 10 dB SNR (mean power of the whole sentence over that of the
noise). People: the noise is that of a kitchen, scaled by the level of the frames that hold speech. Either way 0.3 s of
silence stand before the speech and 0.5 s behind it. Recordings with an even number in their name were used to fit the
decision; only the odd ones are counted here.
"""

import argparse
import json
import re
import subprocess
import tempfile
import time
import wave
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import soxr
from numpy.typing import NDArray

from irene_wyoming.engines.asr.guided.meaning import meaning
from irene_wyoming.engines.asr.guided.spec import SPEC
from irene_wyoming.engines.base import AsrEngine, AsrRequest, Transcription
from tests.engines.asr import sentences
from tests.engines.asr.conftest import made

VOICES = ("slt", "rms", "kal16", "awb")
"""Voices of flite."""

ESPEAK = ("en-us", "en-gb", "en-us+f3", "en-gb-scotland")

LEAD, TAIL = 4_800, 8_000
"""Samples of silence before and behind the speech."""

PUSH_BYTES = 2_048

ACTIVE_DB = 25.0
"""Most decibels below the loudest 20 ms at which a frame holds speech."""

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Utterance:
    """Some speech, and its right answer."""

    kind: str
    name: str
    samples: Samples
    noise: str
    right: str | Mapping[str, str]
    """The right command, or slots of a coffee order; "" where it is no command."""


def said(text: str, voice: str, stretch: float, folder: Path) -> Samples:
    """Synthesise a sentence: samples at 16 kHz, full scale 32768."""
    file = folder / f"{voice}-{stretch}-{text.replace(' ', '_')}.wav"
    if not file.exists():
        flite = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o", str(file)]
        espeak = ["espeak-ng", "-v", voice, "-s", str(round(175 / stretch)), "-w", str(file), text]
        subprocess.run(flite if voice in VOICES else espeak, check=True, stdout=subprocess.DEVNULL)
    return read(file)


def read(file: Path) -> Samples:
    with wave.open(str(file)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(np.float64)
        return np.asarray(soxr.resample(samples, reader.getframerate(), 16_000))


def noise(length: int, colour: str, seed: int) -> Samples:
    """White or pink noise of power 1."""
    random = np.random.default_rng(seed)
    white = random.standard_normal(length)
    if colour == "white":
        return white
    frequencies = np.fft.rfftfreq(length, 1 / 16_000)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(frequencies, 20.0)), length)
    return np.asarray(pink / pink.std())


def padded(clear: Samples) -> int:
    """Samples of speech with silence around it."""
    return LEAD + len(clear) + TAIL


def mixed(clear: Samples, level: float, added: Samples, snr: int) -> Samples:
    """Mix speech of a level with noise of power 1, with silence around the speech."""
    return np.pad(clear, (LEAD, TAIL)) + level * 10 ** (-snr / 20) * added


def synthesised(folder: Path, rounds: int) -> Iterator[Utterance]:
    """Give the held-out sentences."""
    random = Random(2)
    kinds = {"COMMANDS": "command", "SPEECH": "other", "NEAR_MISSES": "near miss", "WAKE_WORDS": "wake word"}
    texts = [(text, kind) for name, kind in kinds.items() for text in getattr(sentences, f"HELD_OUT_{name}")]
    for index, (text, kind) in enumerate(texts * rounds):
        family = (VOICES, ESPEAK)[(index + index // len(texts)) % 2]
        voice, stretch = random.choice(family), random.choice([0.9, 1.0, 1.0, 1.15])
        snr, colour = random.choice([None, 20, 10]), random.choice(["white", "pink"])
        clear = said(text, voice, stretch, folder)
        samples, name = np.pad(clear, (LEAD, TAIL)), "quiet"
        if snr is not None:
            level, name = float(np.sqrt(np.mean(clear**2))), f"{snr} dB {colour}"
            samples = mixed(clear, level, noise(len(samples), colour, random.randrange(10**6)), snr)
        yield Utterance(kind, f"{voice}: {text}", samples, name, text if kind == "command" else "")


def people(folder: Path, every: int) -> Iterator[Utterance]:
    """Give recordings with odd numbers, each in quiet and beside a kitchen; every third of other speech in one."""
    kitchen = read(folder / "kitchen" / "kitchen_000.wav")
    labels = json.loads((folder / "coffee" / "labels.json").read_text())
    for kind in ("coffee", "libri", "alexa", "computer", "view_glass"):
        files = sorted((folder / kind).glob("*.wav"))
        for place, file in enumerate(file for file in files if int(re.findall(r"\d+", file.name)[-1]) % 2):
            conditions: Sequence[int | None] = (None, 20, 10)
            if kind != "coffee":
                conditions = (conditions[place % 3],)
            for snr in conditions if place % every == 0 else ():
                clear = read(file)
                start = Random(f"{file.name} {snr}").randrange(len(kitchen) - len(clear) - LEAD - TAIL)
                part = kitchen[start : start + len(clear) + LEAD + TAIL]
                samples, name = np.pad(clear, (LEAD, TAIL)), "quiet"
                if snr is not None:
                    samples = mixed(clear, active_level(clear), part / np.sqrt(np.mean(part**2)), snr)
                    name = f"kitchen {snr} dB"
                yield Utterance(kind, file.name, samples, name, labels.get(file.name, ""))


def active_level(samples: Samples) -> float:
    """The level of the frames that hold speech."""
    frames = np.mean(samples[: len(samples) // 320 * 320].reshape(-1, 320) ** 2, axis=1)
    return float(np.sqrt(frames[frames > frames.max() * 10 ** (-ACTIVE_DB / 10)].mean()))


def slots(order: str, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The slots of a coffee order."""
    drink, _, extras = order.partition(" with ")
    found, left = {}, f" {drink} "
    for name in ("roast", "numberOfShots", "coffeeDrink", "size"):
        for value in sorted(values[name], key=len, reverse=True):
            if f" {value} " in left:
                found[name], left = value, left.replace(f" {value} ", "  ")
                break
    for extra in extras.split(" and "):
        found |= {name: extra for name in ("milkAmount", "sugarAmount") if extra in values[name]}
    return found


def hear(engine: AsrEngine, samples: Samples) -> tuple[Transcription, float]:
    """Recognise speech; gives the transcription and the seconds that finish() took."""
    pcm = np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
    with closing(engine.session(AsrRequest())) as session:
        for start in range(0, len(pcm), PUSH_BYTES):
            session.push(pcm[start : start + PUSH_BYTES])
        begin = time.perf_counter()
        result = session.finish()
        return result, time.perf_counter() - begin


def verdict(utterance: Utterance, heard: Transcription, values: Mapping[str, Sequence[str]]) -> str:
    """right, wrong (another command), or none (an open transcript or nothing)."""
    if heard.kind != "command":
        return "right" if utterance.right == "" else "none"
    if isinstance(utterance.right, str):
        return "right" if utterance.right and meaning(heard.text) == meaning(utterance.right) else "wrong"
    return "right" if slots(heard.text, values) == utterance.right else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--people", type=Path, metavar="FOLDER", help="recordings of people instead of synthesised voices"
    )
    parser.add_argument("--rounds", type=int, default=2, help="how often each sentence is synthesised (default 2)")
    parser.add_argument("--every", type=int, default=1, help="take every so many recordings of people (default 1)")
    parser.add_argument("--show", action="store_true", help="print each mistake")
    parser.add_argument("--speech", type=Path, help="folder that keeps the synthesised speech for the next time")
    chosen = parser.parse_args()
    values, own = {}, []
    if chosen.people:
        values = json.loads((chosen.people / "coffee" / "slots.json").read_text())
        own = [(chosen.people / "coffee" / "sentence.txt").read_text().strip()]
    with tempfile.TemporaryDirectory() as temporary, closing(made(SPEC, sentences=own)) as engine:
        given = (
            people(chosen.people, chosen.every)
            if chosen.people
            else synthesised(chosen.speech or Path(temporary), chosen.rounds)
        )
        counts, waited, seconds, busy = defaultdict[tuple[str, str], Counter[str]](Counter), list[float](), 0.0, 0.0
        for utterance in given:
            begin = time.process_time()
            heard, wait = hear(engine, utterance.samples)
            busy += time.process_time() - begin
            seconds += len(utterance.samples) / 16_000
            waited.append(wait)
            found = verdict(utterance, heard, values)
            counts[utterance.kind, utterance.noise][found] += 1
            counts[utterance.kind, "all"][found] += 1
            if chosen.show and found != "right":
                print(
                    f"  {utterance.kind}, {utterance.noise}, {utterance.name}: {found}: {heard.text!r} {heard.details}"
                )
    for (kind, where), count in sorted(counts.items()):
        total = sum(count.values())
        print(f"{kind:12}{where:16}{total:5}: {count['right'] / total:6.1%} right, {count['wrong'] / total:6.1%} wrong")
    print(f"finish() {np.quantile(waited, 0.95) * 1e3:.0f} ms (p95); CPU {busy / seconds:.3f} s per second of audio")


if __name__ == "__main__":
    main()
