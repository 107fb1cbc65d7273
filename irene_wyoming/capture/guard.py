"""A process group that never outlives this process."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from irene_wyoming.errors import CaptureError

_GUARD = "trap '' TERM; read -r _; kill -s KILL 0"
"""Shell script that waits for the end of its input, which comes when this process ends in any way, and kills its group.
"""


class _Exit(asyncio.SubprocessProtocol):
    """Notes when the guard process has ended."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    def process_exited(self) -> None:
        self.came.set()

    async def seen(self) -> None:
        """Wait for the end of a killed process, which takes milliseconds, and hold back a cancellation until then.

        Else the loop may be closed before, and the process stays a zombie.
        """
        cancelled: asyncio.CancelledError | None = None
        while not self.came.is_set():
            try:
                await self.came.wait()
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled:
            raise cancelled


@asynccontextmanager
async def guarded_group() -> AsyncIterator[int]:
    """Give the number of a new process group. Its processes are killed at the end, or when this process is killed.

    A shell of about a megabyte leads the group and kills it. The kernel's own way, PR_SET_PDEATHSIG, would need code
    between fork and exec, which a process with threads must not run, and would miss what a recorder starts itself.

    :raises CaptureError: there is no ``sh``.
    """
    try:
        guard, end = await asyncio.get_running_loop().subprocess_exec(
            _Exit,
            "sh",
            "-c",
            _GUARD,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            process_group=0,
        )
    except OSError as error:
        raise CaptureError(f"sh: cannot be run: {error.strerror}") from error
    group = guard.get_pid()
    try:
        yield group
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)  # the group still owns its number, which is freed by the wait below
        try:
            await end.seen()
        finally:
            guard.close()
