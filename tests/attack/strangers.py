"""A thousand who connect from four addresses and say nothing, or begin a TLS greeting and stall."""

import asyncio
import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from irene_wyoming.bench.serving import serving
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from tests.attack.process import free_ports, resident_bytes

SOURCES = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
GREETING = b"\x16\x03\x01\x02"
"""The beginning of a TLS greeting."""

ASKED = 50
"""Descriptions that a client at home wants meanwhile, each within a second."""


@dataclass
class Outcome:
    served: int = 0
    """Of ASKED."""
    slowest_s: float = 0.0
    grown_bytes: int = 0
    missed: list[str] = field(default_factory=list)
    """Why, of those that were not served."""


async def strangers(count: int, said: bytes = b"", folder: Path | None = None) -> Outcome:
    """Have so many of them at a wake server.

    :param said: what each says.
    :param folder: for a certificate; None: the server speaks without TLS.
    """
    address, settings = Address("127.0.0.1", free_ports(1)[0]), {}
    if folder is not None:
        certificate = await asyncio.to_thread(make_certificate, folder)
        address, settings = replace(address, tls=True, trust=certificate), {"access__certificate": str(certificate)}
    async with serving("wake", settings, address=address) as server:
        outcome = Outcome()
        await describe(address)
        before = resident_bytes(server.process.pid)
        with ExitStack() as stack:
            await connected(stack, address, count, said)
            for _ in range(ASKED):
                await ask(address, outcome)
            outcome.grown_bytes = resident_bytes(server.process.pid) - before
    return outcome


async def connected(stack: ExitStack, address: Address, count: int, said: bytes) -> None:
    loop = asyncio.get_running_loop()
    for number in range(count):
        sock = stack.enter_context(socket.socket())
        sock.setblocking(False)
        sock.bind((SOURCES[number % len(SOURCES)], 0))
        await loop.sock_connect(sock, (address.host, address.port))
        if said:
            await loop.sock_sendall(sock, said)


async def ask(address: Address, outcome: Outcome) -> None:
    began = time.monotonic()
    try:
        await describe(address, timeout_s=1.0)
    except ServerUnavailable as error:
        outcome.missed.append(str(error))
    else:
        outcome.served += 1
    outcome.slowest_s = max(outcome.slowest_s, time.monotonic() - began)


def make_certificate(folder: Path) -> Path:
    """A certificate of one's own and its key in one file, by openssl. Blocks."""
    path = folder / "irene.pem"
    made = ["-keyout", str(path), "-out", str(folder / "only.pem"), "-nodes", "-days", "2", "-subj", "/CN=irene"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(["openssl", "req", "-x509", *kind, *made], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (folder / "only.pem").read_bytes())
    return path
