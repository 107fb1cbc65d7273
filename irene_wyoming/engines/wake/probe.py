"""Tries out unknown models in a child process. A file that is damaged in the right place passes every check and then
ends the process that runs it: of 400 models with one bit turned over, one did.

``python -m irene_wyoming.engines.wake.probe KIND`` is the child. It reads models from its standard input, each after
its length, and answers each with a line of JSON; a limit that it sets itself ends it where a model takes too much.
"""

import json
import logging
import os
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from irene_wyoming.errors import EngineError

log = logging.getLogger(__name__)

CPU_S = 5
"""For loading a model and running it over a few seconds of audio: 20 ms on a PC, half a second on a small board."""

WALL_S = 20
"""For the same: a board may be busy with something else."""

START_S = 30
"""For starting the child."""

MEMORY_BYTES = 256 << 20
"""Beyond what the child has before its first model; a wake word takes some megabytes."""

_LENGTH = struct.Struct("!Q")


def probe(kind: str, contents: Sequence[bytes]) -> list[str | None]:
    """Run each model in a child process; the reason for which one is of no use, None for one that works. Slow.

    :param kind: one of TRIALS in ``trials``.
    """
    reasons: list[str | None] = []
    while len(reasons) < len(contents):
        waiting = contents[len(reasons) :]
        answers, ended = _child(kind, waiting)
        reasons += answers[: len(waiting)]
        if len(answers) < len(waiting):
            reasons.append(ended)
    return reasons


def _child(kind: str, contents: Sequence[bytes]) -> tuple[list[str | None], str]:
    """The answers that one child gave, and why it gave no more."""
    command = [sys.executable, "-m", __name__, kind]
    sent = b"".join(_LENGTH.pack(len(content)) + content for content in contents)
    try:
        done = subprocess.run(
            command,
            input=sent,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=START_S + WALL_S * len(contents),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [], "could not be tried out: no answer"
    except OSError as error:
        return [], f"could not be tried out: {error.strerror or error}"
    answers = [json.loads(line)["reason"] for line in done.stdout.splitlines()]
    return answers, _ended(done.returncode)


def _ended(code: int) -> str:
    """How a child that should have answered ended."""
    if code == -signal.SIGXCPU:
        return f"takes more than {CPU_S} s of CPU time for a few seconds of audio"
    if code == -signal.SIGALRM:
        return f"takes more than {WALL_S} s for a few seconds of audio"
    if code < 0:
        return f"crashes the program that runs it ({signal.Signals(-code).name})"
    return f"could not be tried out: exit code {code}"


def main(kind: str) -> None:
    """The child."""
    from irene_wyoming.engines.wake.trials import TRIALS

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


UNNAMED = Path("model")
"""What the child calls every file: it does not know their names."""


def _contents(source: BinaryIO) -> Iterator[bytes]:
    while header := source.read(_LENGTH.size):
        yield source.read(_LENGTH.unpack(header)[0])


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
