"""The servers of a fleet, each a process, and ways to disturb them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from irene_wyoming.bench.fleet.places import Place
from irene_wyoming.bench.serving import QUIET, READY_S, free_port, terminated
from irene_wyoming.bench.usage import Family
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.household.alone import ONE_THREAD
from irene_wyoming.tasks import beside
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.proxy import LOCAL, SIGNATURE

NOTICE_S = 3.0
DRAIN_S = 30.0
STOP_S = 40.0
"""Seconds that a server gets after SIGTERM: its notice, its drain, and some time to close."""

FLEET = {
    "SUPERVISE__NOTICE_S": f"{NOTICE_S:g}",
    "SUPERVISE__DRAIN_S": f"{DRAIN_S:g}",
    "SUPERVISE__STOP_TIMEOUT_S": f"{STOP_S:g}",
}
"""Settings of servers behind HAProxy: those of docs/scale.md except for an hour's patience."""

DUTY_S = 0.1
"""Seconds of a period, during part of which a slowed server is stopped."""


@dataclass(slots=True)
class Member:
    """One server: a process that can be killed, stopped, restarted and slowed."""

    name: str
    """The server's name in HAProxy, such as ``wake1``."""
    role: str
    place: Place
    port: int
    settings: Mapping[str, str]
    core: int | None = None
    """Number of the core that it is pinned to; None: any core."""
    process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> Address:
        return Address(self.place.host, self.port)

    @property
    def family(self) -> Family:
        assert self.process is not None
        return Family(self.process.pid)

    async def start(self) -> None:
        """Start the server; raises ServerUnavailable where it does not describe itself in time."""
        own = {
            f"{self.role.upper()}__{key}": value
            for key, value in {"URI": self.address.uri, "LIMITS__MAX_CONNECTIONS": "1000", **self.settings}.items()
        }
        environ = {
            **os.environ,
            **dict.fromkeys(ONE_THREAD, "1"),
            **{f"IRENE_WYOMING__{key}": value for key, value in {**QUIET, **FLEET, **own}.items()},
        }
        pinned = () if self.core is None else ("taskset", "-c", str(self.core))
        self.process = await asyncio.create_subprocess_exec(
            *self.place.before, *pinned, sys.executable, "-m", "irene_wyoming", self.role, env=environ
        )
        await self._described()

    async def _described(self) -> None:
        """Ask for a description as a proxy does, until there is an answer."""
        assert self.process is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                while self.process.returncode is None:
                    with suppress(OSError):
                        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
                        writer.write(SIGNATURE + bytes([LOCAL, 0, 0, 0]) + b'{"type":"describe"}\n')
                        line = await reader.readline()
                        writer.close()
                        if b'"info"' in line:
                            return
                    await asyncio.sleep(0.05)
        raise ServerUnavailable(f"{self.name} does not start; its own message is above")

    async def kill(self) -> None:
        """Send SIGKILL, which resets its connections."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def drain(self) -> int:
        """Send SIGTERM and wait; gives the exit code."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(STOP_S + 10):
            return await self.process.wait()

    async def end(self) -> None:
        if self.process is not None:
            if self.process.returncode is None:
                self.process.send_signal(signal.SIGKILL)
            await terminated(self.process)

    @asynccontextmanager
    async def slowed(self, share: float) -> AsyncIterator[None]:
        """Let the server run for this share of the time while the context lasts."""
        async with beside(self._slow(share), f"{self.name} is slow"):
            yield

    async def _slow(self, share: float) -> None:
        assert self.process is not None
        try:
            while True:
                self.process.send_signal(signal.SIGSTOP)
                await asyncio.sleep((1 - share) * DUTY_S)
                self.process.send_signal(signal.SIGCONT)
                await asyncio.sleep(share * DUTY_S)
        finally:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)


def members(
    role: str, places: Sequence[Place], settings: Mapping[str, str], proxy_hosts: str, *, pinned: bool = False
) -> list[Member]:
    """Make servers of one kind without starting them.

    :param proxy_hosts: networks that their proxy connects from, in the configuration's form.
    :param pinned: pin each server to a core of its own.
    """
    own = {**settings, "ACCESS__PROXIES": proxy_hosts}
    cores = sorted(os.sched_getaffinity(0))
    return [
        Member(f"{role}{number}", role, place, free_port(), own, cores[(number - 1) % len(cores)] if pinned else None)
        for number, place in enumerate(places, start=1)
    ]
