"""A thousand strangers from four addresses say nothing, show no token, or begin a TLS greeting and stall."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irene_wyoming.bench.serving import serving
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from tests.attack.process import free_ports, resident_bytes

SOURCES = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
GREETING = b"\x16\x03\x01\x02"
"""The beginning of a TLS greeting."""

ASKED = 50
"""Descriptions that a client at home asks for meanwhile, each within a second."""


@dataclass
class Outcome:
    served: int = 0
    """Number of the ASKED descriptions that were served."""
    slowest_s: float = 0.0
    grown_bytes: int = 0
    missed: list[str] = field(default_factory=list)
    """The reasons why others were not served."""


@dataclass(frozen=True)
class Kind:
    """One kind of strangers and server."""

    name: str
    address: Address
    """The server's address for the client at home."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Settings of the server."""
    said: bytes = b""
    """The bytes that each stranger sends."""


def kinds(folder: Path) -> Iterator[Kind]:
    """All kinds, each with a port of its own. Blocks.

    :param folder: folder for a certificate and a token.
    """
    certificate, token = make_certificate(folder), folder / "token"
    token.write_text("a token of the home")
    tls = {"access__certificate": str(certificate)}

    def at(**how: Any) -> Address:
        return Address("127.0.0.1", free_ports(1)[0], **how)

    yield Kind("silent", at())
    yield Kind("silent, TLS", at(tls=True, trust=certificate), tls)
    yield Kind("stalled in a TLS greeting", at(tls=True, trust=certificate), tls, GREETING)
    shown = {"access__token_file": str(token)}
    yield Kind("silent, token", at(), {**shown, "access__allow": "[127.0.0.1]"})
    yield Kind(
        "silent, token, and home shows it", at(token=token.read_text()), {**shown, "access__allow": "[10.0.0.1]"}
    )


async def strangers(count: int, kind: Kind) -> Outcome:
    """Connect this many strangers to a wake server, and measure how a client at home is served."""
    async with serving("wake", kind.settings, address=kind.address) as server:
        outcome = Outcome()
        await describe(kind.address)
        before = resident_bytes(server.process.pid)
        with ExitStack() as stack:
            await connected(stack, kind.address, count, kind.said)
            for _ in range(ASKED):
                await ask(kind.address, outcome)
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
    """Make a self-signed certificate and its key in one file, by openssl. Blocks."""
    path = folder / "irene.pem"
    made = ["-keyout", str(path), "-out", str(folder / "only.pem"), "-nodes", "-days", "2", "-subj", "/CN=irene"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(["openssl", "req", "-x509", *kind, *made], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (folder / "only.pem").read_bytes())
    return path
