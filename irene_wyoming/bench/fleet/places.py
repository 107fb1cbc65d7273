"""Places of a fleet's servers: a network namespace each where that is allowed, else loopback."""

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

NUMBERS = itertools.count()
"""Gives each place a unique number, since fleets may run side by side."""

NETWORK = "10.213"
"""First half of the places' addresses: a private network that is hardly in use."""


@dataclass(frozen=True, slots=True)
class Place:
    """A machine as far as the network is concerned."""

    host: str
    """The address at which the place is reached."""
    before: Sequence[str] = ()
    """Words before a command that is to run at this place."""


async def _ip(*words: str) -> bool:
    process = await asyncio.create_subprocess_exec(
        "ip", *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait() == 0


async def _joined(name: str, number: int) -> bool:
    """Make a namespace and join it to ours by a cable; False: that is not allowed here."""
    cable, net = f"irene{number}", f"{NETWORK}.{number}"
    return (
        await _ip("netns", "add", name)
        and await _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        and await _ip("addr", "add", f"{net}.1/30", "dev", cable)
        and await _ip("link", "set", cable, "up")
        and await _ip("-n", name, "addr", "add", f"{net}.2/30", "dev", "eth0")
        and await _ip("-n", name, "link", "set", "eth0", "up")
        and await _ip("-n", name, "link", "set", "lo", "up")
    )


@asynccontextmanager
async def places(count: int) -> AsyncIterator[list[Place]]:
    """Make places that exist while the context lasts. Only root may make namespaces."""
    names = {f"irene-fleet-{os.getpid()}-{number}": number for number in itertools.islice(NUMBERS, count)}
    allowed = os.geteuid() == 0 and await asyncio.to_thread(shutil.which, "ip") is not None
    made: list[str] = []
    try:
        for name, number in names.items():
            if not allowed:
                break
            made.append(name)
            allowed = await _joined(name, number)
        if allowed:
            found = [Place(f"{NETWORK}.{number}.2", ("ip", "netns", "exec", name)) for name, number in names.items()]
        else:
            found = [Place(f"127.0.0.{number + 11}") for number in names.values()]
        yield found
    finally:
        for name in made:
            await _ip("netns", "del", name)  # this also removes the cable
