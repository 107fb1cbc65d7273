"""Child: a server in a process of its own, whose CPU time and memory can be read while it works. Linux only."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from irene_wyoming.bench.process import ONE_THREAD
from irene_wyoming.config.model import Address
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.servers.client import describe

READY_S = 30.0
STOP_S = 5.0


class Child:
    """A running server."""

    def __init__(self, address: Address, pid: int) -> None:
        self.address = address
        self._pid = pid
        self._clock = (~pid << 3) | 2  # that of another process's CPU time, as clock_getcpuclockid(3) makes it

    def cpu_s(self) -> float:
        """CPU time of all its threads since it was started."""
        return time.clock_gettime(self._clock)

    def resident_bytes(self) -> int:
        """Its memory that lies in RAM."""
        with open(f"/proc/{self._pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def started(name: str, **settings: object) -> AsyncIterator[Child]:
    """``irene-wyoming NAME`` on a free loopback port, ended with the context.

    :param settings: of that server, e.g. ``default_models="[alexa]"``; everything else as in default.yaml.
    :raises ServerUnavailable: it does not describe itself in time.
    """
    address = Address("127.0.0.1", free_port())
    values = {"uri": address.uri, **settings}
    environ = {
        **os.environ,
        **dict.fromkeys(ONE_THREAD, "1"),
        "IRENE_WYOMING__DISCOVERY__ZEROCONF": "false",
        "IRENE_WYOMING__LOG_LEVEL": "warning",
        **{f"IRENE_WYOMING__{name}__{key}".upper(): str(value) for key, value in values.items()},
    }
    command = (sys.executable, "-m", "irene_wyoming", name)
    process = await asyncio.create_subprocess_exec(*command, env=environ, stderr=asyncio.subprocess.DEVNULL)
    try:
        await ready(address)
        yield Child(address, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def ready(address: Address) -> None:
    """:raises ServerUnavailable: it does not describe itself in time."""
    deadline = time.monotonic() + READY_S
    while True:
        try:
            await describe(address, 1.0)
            return
        except ServerUnavailable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
