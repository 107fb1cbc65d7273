"""Tests unknown models in a child process, since some damaged files pass every check and then crash their process. Of
400 models with one flipped bit, one did.

The child, ``trials``, reads models from its standard input, each after its length, and answers each with a line of
JSON. Its own limits end it where a model takes too much.
"""

import json
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence

CHILD = "irene_wyoming.engines.wake.trials"
"""The child's module."""

CPU_S = 5
"""CPU seconds for loading a model and running it over a few seconds of audio. A PC takes 20 ms, a small board half a
second.
"""

WALL_S = 20
"""Seconds of the clock for the same; a board may be busy with something else."""

START_S = 30
"""Seconds for starting the child."""

LENGTH = struct.Struct("!Q")


def probe(trial: str, contents: Sequence[bytes]) -> list[str | None]:
    """Run each model in a child process; gives the reason why it is useless, or None for one that works. Slow.

    :param trial: ``MODULE:FUNCTION`` that makes a Trial, see ``trials``.
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
    """The answers of one child, and the reason why it gave no more."""
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
    """Describe how a child ended that should have answered."""
    if code == -signal.SIGXCPU:
        return f"takes more than {CPU_S} s of CPU time for a few seconds of audio"
    if code == -signal.SIGALRM:
        return f"takes more than {WALL_S} s for a few seconds of audio"
    if code < 0:
        return f"crashes the program that runs it ({signal.Signals(-code).name})"
    return f"could not be tried out: exit code {code}"
