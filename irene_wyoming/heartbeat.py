"""The heartbeat of a child process: a byte every second through a pipe to the process that keeps it.

It comes from the child's event loop, so that a loop that stands still is missed, and not only a process.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from irene_wyoming.tasks import beside

VARIABLE = "IRENE_WYOMING_HEARTBEAT"
"""Environment variable with the file descriptor of the child's end of the pipe."""

EVERY_S = 1.0
"""From beat to beat; waking up a loop once a second costs next to nothing."""


class Ear:
    """The parent's end of the pipe, from before the child's start to its end."""

    def __init__(self) -> None:
        self._hearing, self.for_child = os.pipe()
        """``for_child`` is for the child to inherit."""
        os.set_blocking(self._hearing, False)
        self._child_has_it = False

    @property
    def environment(self) -> dict[str, str]:
        """What tells the child."""
        return {VARIABLE: str(self.for_child)}

    def listen(self) -> None:
        """The child has been started, and has its end."""
        if not self._child_has_it:
            self._child_has_it = True
            os.close(self.for_child)

    async def silence(self, seconds: float) -> None:
        """Return when there has been no beat for so long."""
        loop = asyncio.get_running_loop()
        last = loop.time()

        def hear() -> None:
            nonlocal last
            with suppress(BlockingIOError):
                if os.read(self._hearing, 4096):
                    last = loop.time()
                else:  # the child has closed its end
                    loop.remove_reader(self._hearing)

        loop.add_reader(self._hearing, hear)
        try:
            while (left_s := last + seconds - loop.time()) > 0:
                await asyncio.sleep(left_s)
                hear()  # where this process has been stopped for a while, beats wait to be heard
        finally:
            loop.remove_reader(self._hearing)

    def close(self) -> None:
        """Give both ends back."""
        self.listen()
        os.close(self._hearing)


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Beat for as long as the context lasts, where the parent listens."""
    given = os.environ.pop(VARIABLE, None)  # what this process starts does not beat for it
    if given is None:
        yield
        return
    pipe = int(given)
    os.set_inheritable(pipe, False)
    os.set_blocking(pipe, False)
    try:
        async with beside(_beat(pipe), "heartbeat"):
            yield
    finally:
        os.close(pipe)


async def _beat(pipe: int) -> None:
    while True:
        with suppress(BlockingIOError):  # nobody has listened for an hour
            try:
                os.write(pipe, b".")
            except BrokenPipeError:  # the parent is gone, and the kernel tells us so by a signal
                return
        await asyncio.sleep(EVERY_S)
