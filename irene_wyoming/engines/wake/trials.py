"""The child of ``probe``: loads each model like its engine, and runs it on some features.

``python -m irene_wyoming.engines.wake.trials MODULE:FUNCTION`` The function belongs to an engine. It is called once,
loads what all models of its kind need, and returns a Trial, which gets one model after another.
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

from irene_wyoming.engines.wake.probe import CPU_S, LENGTH, WALL_S
from irene_wyoming.errors import EngineError, EngineFailed

UNNAMED = Path("model")
"""The child's name for every file, since it does not know their names."""

MEMORY_BYTES = 256 << 20
"""Bytes of memory beyond what the child has before its first model. A wake word takes some megabytes."""

STEPS = 24
"""Steps run on each kind of features."""

Trial = Callable[[bytes], None]
"""Runs a model, given its file's content. Raises EngineFailed for a useless one."""


def features(shape: tuple[int, ...], scale: float) -> Iterator[NDArray[np.float64]]:
    """Give zeros, ordinary values and extreme ones."""
    random = np.random.default_rng(1)
    for _ in range(STEPS):
        yield np.zeros(shape)
        yield random.normal(size=shape) * scale / 3
        yield random.choice((-scale, scale), shape)


def check(score: float) -> None:
    """Check a score; raises EngineFailed where it is none."""
    if not -1e-3 <= score <= 1 + 1e-3:  # in this form NaN is refused, too
        raise EngineFailed(f"{UNNAMED}: gives a score of {score:g}; expected 0 to 1")


def main(trial_name: str) -> None:
    """Test one model after the other, and answer for each."""
    answers, sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8"), sys.stderr  # libraries may print
    module, _, function = trial_name.partition(":")
    trial: Trial = getattr(import_module(module), function)()
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
        return  # not Linux: the other limits must suffice
    _limit(resource.RLIMIT_AS, used + MEMORY_BYTES)


if __name__ == "__main__":
    main(sys.argv[1])
