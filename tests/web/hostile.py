"""Hostile clients of the page: slow, huge, of another origin, and more sockets than places."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import cycle, islice

from irene_wyoming.web.live import MAX_MESSAGE_BYTES
from irene_wyoming.wire.address import Address

CLIENTS = 20
SOCKETS = 1_000

AGAIN_S = 1.0
"""Seconds after which a refused hostile client comes back."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def silent(_: Streams) -> None:
    """Send nothing."""


async def dripping(streams: Streams) -> None:
    """Send a request byte by byte, and never all of it."""
    while True:
        streams[1].write(b"GET /live HTTP/1.1\r\nHost: x\r\nX: "[:1])
        await streams[1].drain()
        await asyncio.sleep(0.1)


async def huge(streams: Streams) -> None:
    """Send a request whose header has no end."""
    streams[1].write(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
    await streams[1].drain()


async def foreign(streams: Streams) -> None:
    """Send the request of another site's page."""
    streams[1].write(upgrade("http://evil.example"))
    await streams[1].drain()


async def flooding(streams: Streams) -> None:
    """Be let in, then send large or invalid messages without reading."""
    streams[1].write(upgrade(None))
    for text in (json.dumps({"id": 1, "do": "recordings"}), "x" * (MAX_MESSAGE_BYTES + 1), "[" * 1_000):
        payload = text.encode()
        streams[1].write(b"\x81\xff" + len(payload).to_bytes(8, "big") + bytes(4) + payload)
        await streams[1].drain()


KINDS: tuple[Callable[[Streams], Awaitable[None]], ...] = (silent, dripping, huge, foreign, flooding)


def upgrade(origin: str | None) -> bytes:
    """A request for a WebSocket."""
    lines = ["GET /live HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"]
    lines += [] if origin is None else [f"Origin: {origin}"]
    return "\r\n".join([*lines, "", ""]).encode()


class Hostile:
    """Twenty clients at work."""

    def __init__(self) -> None:
        self.opened = 0
        """Number of sockets opened so far."""

    async def attack(self, address: Address, behave: Callable[[Streams], Awaitable[None]]) -> None:
        """Open one socket after the other, each for as long as the server leaves it open."""
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(address.host, address.port)
                self.opened += 1
                try:
                    await behave((reader, writer))
                    await reader.read()  # until the server closes it
                finally:
                    writer.transport.abort()
            await asyncio.sleep(AGAIN_S)


@asynccontextmanager
async def hostile(address: Address) -> AsyncIterator[Hostile]:
    """Run twenty clients with a thousand sockets while the context lasts."""
    at_work = Hostile()
    kinds = [kind for each in islice(cycle(KINDS), CLIENTS) for kind in [each] * (SOCKETS // CLIENTS)]
    tasks = [asyncio.create_task(at_work.attack(address, kind)) for kind in kinds]
    try:
        yield at_work
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
