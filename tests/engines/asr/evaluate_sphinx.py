"""How well commands are understood and other speech is rejected: ``python tests/engines/asr/evaluate_sphinx.py``.

Needs flite and sox (Debian: apt-get install flite sox). Sentences and voices here were not used to choose the engine's
rejection rule. Settles whether the default ``rejection`` is right.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines import registry
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext

COMMANDS = (
    "turn off the bathroom light",
    "switch on the office lights",
    "set the dining room brightness to thirty percent",
    "turn the hallway lights on",
    "close the garage door",
    "set the temperature to nineteen degrees",
    "what is the temperature in the bedroom",
    "set a timer for ten minutes",
    "cancel the timer",
    "add milk to my shopping list",
    "next song",
    "turn up the volume",
    "set the kitchen lights to blue",
    "unlock the back door",
    "turn on the coffee maker",
    "what is the weather",
)

OTHERS = (
    "my sister lives in a small town near the sea",
    "please send me the report before friday",
    "the train to the airport leaves at seven",
    "i have never seen such a beautiful garden",
    "who won the football game last night",
    "there is nothing good on the radio these days",
    "he closed the book and went to sleep",
    "we should paint the bedroom in a lighter colour",
    "the coffee was cold and the bread was old",
    "can anybody tell me where the station is",
    "children were playing in the street",
    "it is going to be a long winter",
    "she has been working there for ten years",
    "that was the best movie i have ever seen",
    "alexa",
    "hey my croft",
)

VOICES = ("slt", "rms", "kal16", "awb")
STRETCH = (0.85, 1.0, 1.2)
NOISE_DB = (None, 20.0, 10.0)
"""Level of speech over white noise; None: the quiet of a good microphone."""


def speak(text: str, voice: str, stretch: float, folder: Path) -> NDArray[np.float64]:
    """16 kHz mono, half a second of silence on both sides, in steps of 16 bit."""
    raw, wav = folder / "raw.wav", folder / "speech.wav"
    settings = ["--setf", f"duration_stretch={stretch}"]
    subprocess.run(["flite", "-voice", voice, *settings, "-t", text, "-o", str(raw)], check=True)
    subprocess.run(
        ["sox", "-D", str(raw), "-r", "16000", "-c", "1", "-b", "16", str(wav), "pad", "0.5", "0.5"], check=True
    )
    with wave.open(str(wav)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)


def with_noise(speech: NDArray[np.float64], over_db: float | None) -> bytes:
    random = np.random.default_rng(len(speech))
    loud = speech[np.abs(speech) > 0.02 * np.abs(speech).max()]
    level = 5.0 if over_db is None else np.sqrt(np.mean(loud**2)) / 10 ** (over_db / 20)
    return bytes(np.clip(np.rint(speech + random.normal(0, level, len(speech))), -32768, 32767).astype("<i2").tobytes())


def transcribe(engine: AsrEngine, pcm: bytes) -> tuple[str, float]:
    """The text, and the seconds that it took after the last audio."""
    session = engine.session(AsrRequest())
    for start in range(0, len(pcm), 640):
        session.push(pcm[start : start + 640])
    ended = time.perf_counter()
    text = session.finish().text
    return text, time.perf_counter() - ended


def results(
    engine: AsrEngine, texts: tuple[str, ...]
) -> Iterator[tuple[str, str, float, float | None, str, float, float]]:
    """(said, voice, stretch, noise dB, understood, seconds after the end, seconds of CPU per second of audio)"""
    with tempfile.TemporaryDirectory() as folder:
        for text in texts:
            for number, voice in enumerate(VOICES):
                stretch = STRETCH[(number + len(text)) % len(STRETCH)]
                speech = speak(text, voice, stretch, Path(folder))
                for noise in NOISE_DB:
                    pcm = with_noise(speech, noise)
                    began = time.process_time()
                    understood, after = transcribe(engine, pcm)
                    yield (
                        text,
                        voice,
                        stretch,
                        noise,
                        understood,
                        after,
                        (time.process_time() - began) / (len(pcm) / 32_000),
                    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rejection", type=float, help="another value than the default")
    parser.add_argument("--wrong", action="store_true", help="list what was not understood as wanted")
    args = parser.parse_args()
    spec = registry.spec("asr", "sphinx")
    options = {name: option.default for name, option in spec.options.items()}
    if args.rejection is not None:
        options["rejection"] = args.rejection
    engine: AsrEngine = spec.create(options, EngineContext())
    delays, costs = [], []
    for title, texts in (("commands understood exactly", COMMANDS), ("other speech rejected", OTHERS)):
        rows = list(results(engine, texts))
        delays += [row[5] for row in rows]
        costs += [row[6] for row in rows]
        for noise in NOISE_DB:
            chosen = [row for row in rows if row[3] == noise]
            right = [row for row in chosen if row[4] == (row[0] if texts is COMMANDS else "")]
            quiet = "quiet" if noise is None else f"{noise:g} dB over noise"
            print(f"{title}, {quiet}: {len(right)} of {len(chosen)} ({len(right) / len(chosen):.1%})")
        wrong = [row for row in rows if row[4] and row[4] != row[0]]
        print(f"{title}: {len(wrong)} of {len(rows)} gave a wrong command")
        for row in rows if args.wrong else ():
            if row[4] != (row[0] if texts is COMMANDS else ""):
                print("   ", *row[:5], sep=" | ")
    print(f"after the end: median {np.median(delays) * 1e3:.1f} ms, p95 {np.percentile(delays, 95) * 1e3:.1f} ms")
    print(f"real-time factor: median {np.median(costs):.3f}, p95 {np.percentile(costs, 95):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
