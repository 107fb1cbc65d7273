"""How well sphinx tells commands from other speech. Needs flite; numpy and soxr do the rest.

    python -m tests.engines.asr.sphinx.evaluate            figures of the held-out sentences
    python -m tests.engines.asr.sphinx.evaluate --fit      weights for rejection.py, from the tuning sentences

Each sentence is said by the four voices in turn, at 0.9, 1 or 1.15 of the usual duration, in quiet, or with white or
pink noise of 20 or 10 dB SNR (mean power of the whole sentence over that of the noise), and 0.3 s of silence before and
0.5 s after. It is pushed in pieces of 64 ms.
"""

import argparse
import subprocess
import tempfile
import time
import wave
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import soxr
from numpy.typing import NDArray

from irene_wyoming.engines.asr.sphinx.engine import Heard, Sphinx
from irene_wyoming.engines.asr.sphinx.rejection import Measures, confidence
from irene_wyoming.engines.asr.sphinx.spec import SPEC
from irene_wyoming.engines.base import AsrRequest, EngineContext, Transcription, Vocabulary
from tests.engines.asr import sentences

VOICES = ("slt", "rms", "kal16", "awb")
LEAD, TAIL = 4_800, 8_000  # samples
PUSH_BYTES = 2_048
REJECTED = 0.92


@dataclass(frozen=True)
class Utterance:
    text: str
    kind: str
    voice: str
    stretch: float
    snr: int | None  # dB; None: no noise
    colour: str
    seed: int

    @property
    def command(self) -> bool:
        return self.kind == "command"


def utterances(texts: Sequence[tuple[str, str]], rounds: int, seed: int) -> Iterator[Utterance]:
    """Each of the (text, kind) ``rounds`` times, with changing voices and noise."""
    random = Random(seed)
    for index, (text, kind) in enumerate([*texts] * rounds):
        voice = VOICES[(index + index // len(texts)) % len(VOICES)]
        snr = random.choice([None, 20, 10])
        stretch = random.choice([0.9, 1.0, 1.0, 1.15])
        yield Utterance(text, kind, voice, stretch, snr, random.choice(["white", "pink"]), random.randrange(10**6))


def said(utterance: Utterance, folder: Path) -> NDArray[np.float64]:
    """16 kHz samples without noise."""
    file = folder / f"{utterance.voice}-{utterance.stretch}-{utterance.text.replace(' ', '_')}.wav"
    if not file.exists():
        stretch = f"duration_stretch={utterance.stretch}"
        command = ["flite", "-voice", utterance.voice, "--setf", stretch, "-t", utterance.text, "-o", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with wave.open(str(file)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(np.float64)
        return np.asarray(soxr.resample(samples, reader.getframerate(), 16_000))


def audio(utterance: Utterance, folder: Path) -> bytes:
    """16 kHz 16 bit mono, with the silence around it and the noise."""
    clear = said(utterance, folder)
    samples = np.pad(clear, (LEAD, TAIL))
    if utterance.snr is not None:
        level = np.sqrt(np.mean(clear**2)) * 10 ** (-utterance.snr / 20)
        samples += level * noise(len(samples), utterance.colour, utterance.seed)
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def noise(length: int, colour: str, seed: int) -> NDArray[np.float64]:
    """Of power 1."""
    random = np.random.default_rng(seed)
    white = random.standard_normal(length)
    if colour == "white":
        return white
    frequencies = np.fft.rfftfreq(length, 1 / 16_000)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(frequencies, 20.0)), length)
    return np.asarray(pink / pink.std())


class Recorder(Sphinx):
    """Keeps the measures of the last decoding, and withholds nothing."""

    found: tuple[str, Measures] | None = None

    def transcribe(self, heard: Heard, language: str) -> Transcription:
        self.found = self._decoder.decode(heard)
        return Transcription(self.found[0] if self.found else "", language, self.name)


def hear(engine: Sphinx, pcm: bytes) -> tuple[Transcription, float]:
    """What was understood, and the seconds that finish() took."""
    session = engine.session(AsrRequest())
    for start in range(0, len(pcm), PUSH_BYTES):
        session.push(pcm[start : start + PUSH_BYTES])
    begin = time.perf_counter()
    result = session.finish()
    return result, time.perf_counter() - begin


def evaluate(given: Sequence[Utterance], folder: Path, show: bool) -> None:
    options = {name: option.default for name, option in SPEC.options.items()}
    engine = SPEC.create(options, EngineContext())
    right: dict[tuple[str, ...], list[bool]] = defaultdict(list)
    waited, heard, busy = [], 0.0, 0.0
    sure: list[tuple[bool, bool, float]] = []
    for utterance in given:
        pcm = audio(utterance, folder)
        begin = time.process_time()
        result, wait = hear(engine, pcm)
        busy += time.process_time() - begin
        heard += len(pcm) / 32_000
        waited.append(wait)
        good = result.text == (utterance.text if utterance.command else "")
        group = "command" if utterance.command else "other speech"
        noise_level = "quiet" if utterance.snr is None else f"{utterance.snr} dB {utterance.colour}"
        right[(group,)].append(good)
        for part in (utterance.kind, noise_level, utterance.voice):
            right[group, part].append(good)
        if utterance.command:
            right[group, "not another one"].append(good or not result.text)
        sure.append((utterance.command, good, result.confidence or 0.0))
        if show and not good:
            print(f"  {utterance} -> {result.text!r} {result.confidence:.2f}")
    for key in sorted(right):
        print(f"{' / '.join(key):40} {sum(right[key]):4} of {len(right[key]):4}  {np.mean(right[key]):6.1%}")
    wait_ms = np.quantile(waited, [0.5, 0.95]) * 1e3
    print(
        f"finish() {wait_ms[0]:.0f} ms (p50), {wait_ms[1]:.0f} ms (p95); CPU {busy / heard:.3f} s per second of audio"
    )


def curve(given: Sequence[Utterance], folder: Path) -> None:
    """Exact commands and rejected other speech over the threshold."""
    engine = Recorder(Vocabulary())
    rows = [(utterance, *decoded(engine, utterance, folder)) for utterance in given]
    print("rejection  exact commands  wrong commands  other speech rejected")
    for threshold in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        kept = [(u, text if found and confidence(found) >= threshold else "") for u, text, found in rows]
        commands = [(u.text == text, bool(text) and u.text != text) for u, text in kept if u.command]
        others = [not text for u, text in kept if not u.command]
        exact, wrong = np.mean(commands, axis=0)
        print(f"{threshold:9} {exact:15.1%} {wrong:15.1%} {np.mean(others):22.1%}")


def decoded(engine: Recorder, utterance: Utterance, folder: Path) -> tuple[str, Measures | None]:
    engine.found = None
    text = hear(engine, audio(utterance, folder))[0].text
    return text, engine.found[1] if engine.found and text else None


def fit(given: Sequence[Utterance], folder: Path) -> None:
    """Weights of a logistic regression: exact commands against everything else, each half of the whole.

    The constant is then set for a confidence of 0.5 to reject REJECTED of the other speech.
    """
    engine = Recorder(Vocabulary())
    rows = [(utterance, *decoded(engine, utterance, folder)) for utterance in given]
    usable = [(u, text, found) for u, text, found in rows if found is not None]
    right = np.array([u.command and u.text == text for u, text, _ in usable])
    values = np.array([found for _, _, found in usable])
    mean, spread = values.mean(axis=0), values.std(axis=0)
    weights = regression(np.column_stack([(values - mean) / spread, np.ones(len(values))]), right)
    scaled = weights[:-1] / spread
    others = [-np.inf if found is None else scaled @ np.array(found) for u, _, found in rows if not u.command]
    constant = -np.quantile(others, REJECTED, method="higher")
    print(f"WEIGHTS = {tuple(round(float(weight), 4) for weight in (*scaled, constant))}")


def regression(values: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Newton's method, with a little ridge."""
    share = np.where(right, 0.5 / right.mean(), 0.5 / (1 - right.mean()))
    ridge = np.full(values.shape[1], 0.002 * len(values))
    ridge[-1] = 1e-6
    weights = np.zeros(values.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-values @ weights))
        slope = values.T @ (share * (likely - right)) + ridge * weights
        bend = (values.T * (share * likely * (1 - likely))) @ values + np.diag(ridge)
        weights -= np.linalg.solve(bend, slope)
    return weights


def texts(tuning: bool) -> list[tuple[str, str]]:
    part = "TUNING" if tuning else "HELD_OUT"
    kinds = {"COMMANDS": "command", "SPEECH": "ordinary", "NEAR_MISSES": "near miss", "WAKE_WORDS": "wake word"}
    return [(text, kind) for name, kind in kinds.items() for text in getattr(sentences, f"{part}_{name}")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="fit the weights instead, on the tuning sentences")
    parser.add_argument("--curve", action="store_true", help="figures over the threshold instead")
    parser.add_argument("--tuning", action="store_true", help="take the tuning sentences")
    parser.add_argument("--rounds", type=int, default=4, help="how often each sentence is said (default 4)")
    parser.add_argument("--show", action="store_true", help="print each mistake")
    parser.add_argument("--speech", type=Path, help="folder that keeps the synthesised speech for the next time")
    chosen = parser.parse_args()
    tuning = chosen.fit or chosen.tuning
    given = list(utterances(texts(tuning), chosen.rounds, seed=1 if tuning else 2))
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.speech or Path(temporary)
        if chosen.fit:
            fit(given, folder)
        elif chosen.curve:
            curve(given, folder)
        else:
            evaluate(given, folder, chosen.show)


if __name__ == "__main__":
    main()
