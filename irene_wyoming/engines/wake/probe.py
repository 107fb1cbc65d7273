"""Tries out unknown models in a child process. A file that is damaged in the right place passes every check and then
ends the process that runs it: of 400 models with one bit turned over, one did.

The child, ``trials``, reads models from its standard input, each after its length, and answers each with a line of
JSON; a limit that it sets itself ends it where a model takes too much.
"""

import json
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence

CHILD = "irene_wyoming.engines.wake.trials"
"""The module that is run."""

CPU_S = 5
"""Seconds of CPU time for loading a model and running it over a few seconds of audio. That takes 20 ms on a PC, half a
second on a small board."""

WALL_S = 20
"""Seconds that the same may take; a board may be busy with something else."""

START_S = 30
"""Seconds for starting the child."""

LENGTH = struct.Struct("!Q")


def probe(trial: str, contents: Sequence[bytes]) -> list[str | None]:
    """Run each model in a child process; the reason for which one is of no use, None for one that works. Slow.

    :param trial: ``MODULE:FUNCTION`` that makes a Trial, as ``trials`` says.
    """
    reasons: list[str | None] = []
    while len(reasons) < len(contents):
        waiting = contents[len(reasons) :]
        answers, ended = _child(trial, waiting)
        reasons += answers[: len(waiting)]
        if len(answers) < len(waiting):
            reasons.append(ended)
    return reasons


def _child(trial: str, contents: Sequence[bytes]) -> tuple[list[str | None], str]:
    """The answers that one child gave, and why it gave no more."""
    command = [sys.executable, "-m", CHILD, trial]
    sent = b"".join(LENGTH.pack(len(content)) + content for content in contents)
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
