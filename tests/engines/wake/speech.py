"""Sounds for the wake word tests: synthesised words, recordings of people where there are any, and other sounds."""

import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

SYNTHESISED = sorted((Path(__file__).parents[2] / "speech" / "wake").glob("*.wav"))
RECORDED = Path(__file__).parents[4] / "shared" / "wavs"


def read(path: Path) -> bytes:
    """The samples of a 16 kHz 16-bit mono file."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16_000, 2, 1)
        return bytes(file.readframes(file.getnframes()))


def word_of(path: Path) -> str:
    """The word in a file's name: ``hey_jarvis`` for ``hey_jarvis_slt.wav``."""
    return path.stem.rpartition("_")[0]


def synthesised(name: str) -> bytes:
    """A recording of tests/speech/wake, e.g. ``okay_nabu_rms``."""
    return read(SYNTHESISED[0].parent / f"{name}.wav")


def recorded(name: str) -> bytes:
    """A recorded human voice; skips the test where it is missing."""
    path = RECORDED / f"{name}.wav"
    if not path.is_file():
        pytest.skip(f"no recorded voices here: {name}.wav is not in shared/wavs beside the repository")
    return read(path)


def silence(seconds: float) -> bytes:
    return bytes(2 * round(16_000 * seconds))


def _sounds() -> dict[str, bytes]:
    random = np.random.default_rng(7)
    time = np.arange(32_000) / 16_000
    sounds: dict[str, NDArray[Any]] = {
        "silence": np.zeros(32_000),
        "offset": np.full(32_000, 1000.0),
        "click": np.r_[np.full(50, 32_767.0), np.zeros(31_950)],
    }
    for level in (1, 30, 1000, 10_000):
        sounds[f"noise of {level}"] = random.normal(size=32_000) * level
    for pitch in (100, 440, 3000):
        sounds[f"tone of {pitch} Hz"] = np.sin(2 * np.pi * pitch * time) * 8000
    for chord in ((220, 277, 330), (262, 330, 392)):
        notes = np.sin(2 * np.pi * np.outer(chord, time)).sum(axis=0)
        sounds[f"chord on {chord[0]} Hz"] = notes * np.exp(-3 * (time % 0.5)) * 4000
    return {name: samples.clip(-32_768, 32_767).astype("<i2").tobytes() for name, samples in sounds.items()}


SOUNDS = _sounds()
"""Two seconds each of sounds that a microphone may hear when a stream starts."""


def loaded_by_describing(engine: str) -> list[str]:
    """Heavy modules that a fresh interpreter has loaded once it knows the engine."""
    heavy = {"numpy", "pyopen_wakeword", "pymicro_wakeword", "pymicro_features", "micro_features_cpp", "ctypes"}
    script = (
        "import sys; from irene_wyoming.engines.registry import require, spec\n"
        f"require(spec('wake', {engine!r})); print(*({heavy!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()
