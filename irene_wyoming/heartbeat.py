"""The heartbeat of a child process: a byte per second through a pipe to its supervisor.

The child's event loop sends it, so that a loop that stands still is noticed as well as a dead process.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from irene_wyoming.tasks import beside

VARIABLE = "IRENE_WYOMING_HEARTBEAT"
"""Environment variable with the file descriptor of the child's end of the pipe."""

EVERY_S = 1.0
"""Seconds between two beats; waking the loop once a second costs next to nothing."""


class Ear:
    """The parent's end of the pipe, made before the child starts and closed after its end."""

    def __init__(self) -> None:
        self._hearing, self.for_child = os.pipe()
        """The pipe's ends; the child inherits ``for_child``."""
        os.set_blocking(self._hearing, False)
        self._child_has_it = False

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for the child."""
        return {VARIABLE: str(self.for_child)}

    def listen(self) -> None:
        """Begin to listen, after the child has started with its end of the pipe."""
        if not self._child_has_it:
            self._child_has_it = True
            os.close(self.for_child)

    async def silence(self, seconds: float, first_s: float) -> float:
        """Wait until there has been no beat for so many seconds, and return them.

        :param first_s: seconds to wait for the first beat.
        """
        loop = asyncio.get_running_loop()
        last, patience_s = loop.time(), first_s

        def hear() -> None:
            nonlocal last, patience_s
            with suppress(BlockingIOError):
                if os.read(self._hearing, 4096):
                    last, patience_s = loop.time(), seconds
                else:  # the child has closed its end
                    loop.remove_reader(self._hearing)

        loop.add_reader(self._hearing, hear)
        try:
            while (left_s := last + patience_s - loop.time()) > 0:
                await asyncio.sleep(min(left_s, seconds))
                hear()  # after a stop of this process, earlier beats may wait to be read
            return patience_s
        finally:
            loop.remove_reader(self._hearing)

    def close(self) -> None:
        """Close both ends of the pipe."""
        self.listen()
        os.close(self._hearing)


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Send beats while the context lasts, if a parent listens."""
    given = os.environ.pop(VARIABLE, None)  # children of this process must not beat for it
    if given is None:
        yield
        return
    pipe = int(given)
    os.set_inheritable(pipe, False)
    os.set_blocking(pipe, False)
    try:
        async with beside(_beat(pipe), "heartbeat"):
            await asyncio.sleep(0)  # the first beat comes before anything else
            yield
    finally:
        os.close(pipe)


async def _beat(pipe: int) -> None:
    while True:
        with suppress(BlockingIOError):  # nobody has listened for an hour
            try:
                os.write(pipe, b".")
            except BrokenPipeError:  # the parent has gone; the kernel also tells that by a signal
                return
        await asyncio.sleep(EVERY_S)
