"""Runs commands of this program for the page, each in a process that ends with the page's."""

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
"""Niceness of the commands, since wake words come first."""

MAX_ANSWER_BYTES = 1_048_576
"""Most bytes of a command's output that are read. The longest answer has some 20 kB."""

LINE_BYTES = 4_096
"""Most bytes of a line of progress; longer ones are left out."""

Command = Callable[[Sequence[str]], Sequence[str]]
"""Gives the command line that runs our program with these arguments."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of a command."""

    code: int
    answer: bytes
    """The command's standard output."""
    last: str
    """The last line on standard error, without the program's name: the reason of a failure."""


def command(path: Path | None) -> Command:
    """Make command lines that use the configuration at ``path``."""
    options = ["--config", str(path)] if path else []
    return lambda arguments: (sys.executable, "-m", "irene_wyoming", *arguments, *options)


async def ran(
    arguments: Sequence[str], told: Callable[[str], object], environ: Mapping[str, str] = os.environ
) -> Ended:
    """Run a command to its end; a cancellation ends it.

    :param told: gets each line of its progress.
    :raises OSError: it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *arguments,
        env={**unshared(environ), SUPERVISED_VARIABLE: str(os.getpid())},  # the command ends with us, however we end
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
    """Read a whole stream, up to the most bytes of an answer."""
    content = b""
    while piece := await stream.read(65_536):
        content = (content + piece)[: MAX_ANSWER_BYTES + 1]
    return content


async def _followed(stream: asyncio.StreamReader, told: Callable[[str], object]) -> str:
    """Report each line as it comes; returns the last one."""
    last = ""
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue  # the line is too long
        if not line:
            return last
        last = line.decode(errors="replace").strip()[:300] or last
        told(last)
