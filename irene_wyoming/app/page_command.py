"""Runs commands of this program for the page, each in a process of its own that ends with the page's."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from irene_wyoming.app.shared_metrics import unshared
from irene_wyoming.supervise import SUPERVISED_VARIABLE

NICENESS = 10
"""Words are heard first."""

MAX_ANSWER_BYTES = 1_048_576
"""Most bytes of what a command prints that are read. The longest answer has some 20 kB."""

LINE_BYTES = 4_096
"""Bytes of a line of its progress; a longer one is left out."""

Command = Callable[[Sequence[str]], Sequence[str]]
"""What runs a command of ours with these arguments."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a command."""

    code: int
    answer: bytes
    """What it has printed."""
    last: str
    """The last line on standard error, without the program's name: why it failed, if it did."""


def command(path: Path | None) -> Command:
    """By the command line, with the configuration at ``path``."""
    options = ["--config", str(path)] if path else []
    return lambda arguments: (sys.executable, "-m", "irene_wyoming", *arguments, *options)


async def ran(
    arguments: Sequence[str], told: Callable[[str], object], environ: Mapping[str, str] = os.environ
) -> Ended:
    """Run a command to its end. Cancelled, it ends the command.

    :param told: gets each line of its progress.
    :raises OSError: it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *arguments,
        env={**unshared(environ), SUPERVISED_VARIABLE: str(os.getpid())},  # it ends with us, however we end
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        answer, last = await asyncio.gather(_whole(process.stdout), _followed(process.stderr, told))
        return Ended(await process.wait(), answer, last.removeprefix("irene-wyoming: "))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _whole(stream: asyncio.StreamReader) -> bytes:
    """All that comes, or as much of it as an answer may have."""
    content = b""
    while piece := await stream.read(65_536):
        content = (content + piece)[: MAX_ANSWER_BYTES + 1]
    return content


async def _followed(stream: asyncio.StreamReader, told: Callable[[str], object]) -> str:
    """Tell each line as it comes; returns the last one."""
    last = ""
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue  # it is too long
        if not line:
            return last
        last = line.decode(errors="replace").strip()[:300] or last
        told(last)
