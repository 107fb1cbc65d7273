"""Runs a server of this program in a process of its own, whose CPU time and memory can be read. Linux only."""

import asyncio
import errno
import itertools
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from irene_wyoming.bench.usage import Family
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.household.alone import ONE_THREAD
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe

READY_S = 120.0
"""Seconds for a server to load its models: large ones from a slow disk."""

STOP_S = 5.0

LOWEST_PORT, HUNDREDS = 12_800, 199
"""The lowest port that is drawn, and how many hundreds of ports follow it. All are below 32768."""

_drawn = itertools.count()

QUIET = {"DISCOVERY__ZEROCONF": "false", "METRICS__ENABLED": "false", "LOG_LEVEL": "error"}
"""Settings of a measured server: no announcement, no metrics, no log of what it hears."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    address: Address
    process: asyncio.subprocess.Process

    @property
    def family(self) -> Family:
        """The server's process, and engines in processes of their own."""
        return Family(self.process.pid)


@asynccontextmanager
async def serving(
    name: str,
    settings: Mapping[str, object] | None = None,
    *,
    address: Address | None = None,
    config: Path | None = None,
) -> AsyncIterator[Server]:
    """Run ``irene-wyoming NAME`` while the context lasts.

    :param settings: settings of that server, such as ``{"default_models": "[alexa]"}``.
    :param address: the address to listen at; None: a free port of loopback.
    :param config: the user's configuration; None: the defaults.
    :raises ServerUnavailable: it ends, or does not describe itself in time.
    """
    address = address or Address("127.0.0.1", free_port())
    own = {f"{name}__{key}".upper(): str(value) for key, value in {"uri": address.uri, **(settings or {})}.items()}
    environ = {
        **os.environ,
        **dict.fromkeys(ONE_THREAD, "1"),
        **{f"IRENE_WYOMING__{key}": value for key, value in {**QUIET, **own}.items()},
    }
    options = ["--config", str(config)] if config else []
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "irene_wyoming", name, *options, env=environ)
    try:
        await ready(address, process)
        yield Server(address, process)
    finally:
        await terminated(process)


async def ready(address: Address, process: asyncio.subprocess.Process) -> None:
    """Wait for the server; raises ServerUnavailable where it ends or does not describe itself in time."""
    deadline = time.monotonic() + READY_S
    while process.returncode is None and time.monotonic() < deadline:
        try:
            await describe(address, 1.0)
        except ServerUnavailable:
            await asyncio.sleep(0.05)
        else:
            return
    raise ServerUnavailable("the server to measure does not start; its own message is above")


async def terminated(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and kill it if it does not."""
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def free_port() -> int:
    """A port on which nobody listens at present.

    Ports that the kernel gives out by itself start at 32768. Those below are not taken by a connection meanwhile, and
    another process draws from another hundred of them.

    :raises OSError: all hundred are taken.
    """
    mine = LOWEST_PORT + os.getpid() % HUNDREDS * 100
    for _ in range(100):
        port = mine + next(_drawn) % 100
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError(errno.EADDRINUSE, f"the ports {mine} to {mine + 99} are all taken")
