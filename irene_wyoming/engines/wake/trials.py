"""The child of ``probe``: loads each model as its engine would, and runs it over some features.

``python -m irene_wyoming.engines.wake.trials KIND``
Each trial is made once, which loads what all models of its kind need, and is then given one model after another. It
raises EngineFailed for a model that is of no use.
"""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.wake.packages import PYMICRO_WAKEWORD, PYOPEN_WAKEWORD
from irene_wyoming.engines.wake.probe import CPU_S, LENGTH, WALL_S
from irene_wyoming.engines.wake.tflite import Model, Runtime
from irene_wyoming.errors import EngineError, EngineFailed

UNNAMED = Path("model")
"""What the child calls every file: it does not know their names."""

MEMORY_BYTES = 256 << 20
"""Beyond what the child has before its first model; a wake word takes some megabytes."""

STEPS = 24
"""Of each kind of features."""

Trial = Callable[[bytes], None]


def openwakeword_tflite() -> Trial:
    from irene_wyoming.engines.wake.openwakeword.engine import EMBEDDING_SIZE, Head

    runtime = Runtime.of_package(PYOPEN_WAKEWORD.folder())

    def trial(content: bytes) -> None:
        head = Head(runtime, UNNAMED, content)
        for embeddings in features((head.embeddings, EMBEDDING_SIZE), 20.0):
            check(head.score(embeddings.astype(np.float32)))
        head.close()

    return trial


def openwakeword_onnx() -> Trial:
    from irene_wyoming.engines.wake.openwakeword.engine import EMBEDDING_SIZE, onnx_head

    import_module("onnxruntime")  # before memory is limited

    def trial(content: bytes) -> None:
        head = onnx_head(UNNAMED, content)
        for embeddings in features((head.embeddings, EMBEDDING_SIZE), 20.0):
            check(head.score(embeddings.astype(np.float32)))

    return trial


def microwakeword_tflite() -> Trial:
    from irene_wyoming.engines.wake.microwakeword.engine import FEATURES, Word

    runtime = Runtime.of_package(PYMICRO_WAKEWORD.folder())

    def trial(content: bytes) -> None:
        model = Model(runtime, UNNAMED, content)
        word = Word(model, sliding_window=1)
        for rows in features((10, FEATURES), 26.0):
            for _, score in word.push(np.abs(rows)):
                check(score)
        word.close()
        model.close()

    return trial


TRIALS: dict[str, Callable[[], Trial]] = {
    "openwakeword": openwakeword_tflite,
    "openwakeword-onnx": openwakeword_onnx,
    "microwakeword": microwakeword_tflite,
}


def features(shape: tuple[int, ...], scale: float) -> Iterator[NDArray[np.float64]]:
    """Zeros, ordinary values and extreme ones."""
    random = np.random.default_rng(1)
    for _ in range(STEPS):
        yield np.zeros(shape)
        yield random.normal(size=shape) * scale / 3
        yield random.choice((-scale, scale), shape)


def check(score: float) -> None:
    """:raises EngineFailed: no score."""
    if not -1e-3 <= score <= 1 + 1e-3:  # in this form a NaN is refused too
        raise EngineFailed(f"{UNNAMED}: gives a score of {score:g}; expected 0 to 1")


def main(kind: str) -> None:
    """Answer for one model after the other."""
    answers, sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8"), sys.stderr  # libraries may print
    trial = TRIALS[kind]()
    _limit(resource.RLIMIT_CORE, 0)
    _limit_memory()
    for content in _contents(sys.stdin.buffer):
        _limit(resource.RLIMIT_CPU, int(time.process_time()) + 1 + CPU_S)
        signal.setitimer(signal.ITIMER_REAL, WALL_S)
        reason = None
        try:
            trial(content)
        except EngineError as error:
            reason = str(error).removeprefix(f"{UNNAMED}: ")
        except MemoryError:
            reason = f"takes more than {MEMORY_BYTES >> 20} MB of memory"
        print(json.dumps({"reason": reason}), file=answers, flush=True)


def _contents(source: BinaryIO) -> Iterator[bytes]:
    while header := source.read(LENGTH.size):
        yield source.read(LENGTH.unpack(header)[0])


def _limit(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _limit_memory() -> None:
    try:
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return  # not Linux: the other limits must do
    _limit(resource.RLIMIT_AS, used + MEMORY_BYTES)


if __name__ == "__main__":
    main(sys.argv[1])
