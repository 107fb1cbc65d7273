"""Measures whether the gate costs words: recordings in various noises, with the gate and without.

python -m tests.engines.wake.evaluate_gate (takes a minute or two)
"""

import argparse
from collections import Counter
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.engines import wake_engine as load
from irene_wyoming.engines.base import WakeEngine
from irene_wyoming.engines.wake.gate import GatedEngine
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.wake.test_gate import noise, pcm

WORD_DBFS = -30.0
"""Level of the loudest 20 ms of a word, dBFS; noise levels are relative to it."""

BEFORE, AFTER = 6 * SPEECH.rate, 2 * SPEECH.rate
"""Frames of noise alone before and after the word."""


def loudest_dbfs(samples: NDArray[np.float64]) -> float:
    blocks = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    return float(10 * np.log10(np.mean(blocks**2, axis=1).max()) - 20 * np.log10(2**15))


def heard(engine: WakeEngine, word: str, sound: bytes) -> bool:
    with closing(engine.session([word])) as session:
        return bool(session.push(sound))


def compare(name: str, rounds: int) -> Counter[str]:
    found: Counter[str] = Counter()
    with closing(load(name)) as engine:
        gated = GatedEngine(engine)
        known = [info.name for info in engine.models()]
        for path in sorted((SPEECH_DIR / "wake").glob("*.wav")):
            word = path.stem.rpartition("_")[0]
            if word not in known:
                continue
            samples = np.frombuffer(read_wav(path).pcm, "<i2").astype(float)
            samples *= 10 ** ((WORD_DBFS - loudest_dbfs(samples)) / 20)
            alone = np.pad(samples, (BEFORE, AFTER))
            for seed in range(rounds):
                for kind in ("white", "pink", "brown"):
                    for snr_db in (-5, 0, 5, 10, 20):
                        sound = pcm(alone + noise(kind, len(alone), hash((seed, snr_db)) % 2**32, WORD_DBFS - snr_db))
                        without, with_it = heard(engine, word, sound), heard(gated, word, sound)
                        found += Counter(words=1, without=without, gated=with_it, lost=without and not with_it)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each word is said in each noise")
    rounds = parser.parse_args().rounds
    for name in ("openwakeword", "microwakeword"):
        found = compare(name, rounds)
        print(
            f"{name}: of {found['words']} words {found['without']} are heard without the gate, {found['gated']} with "
            f"it; {found['lost']} only without"
        )


if __name__ == "__main__":
    main()
