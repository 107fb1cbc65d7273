"""A client of the HTTP address of metrics and health."""

import asyncio

from irene_wyoming.wire.address import Address

WAIT_S = 60


async def ask(address: Address, request: bytes) -> bytes:
    """Send bytes and return everything that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(request)
        async with asyncio.timeout(WAIT_S):
            return await reader.read()
    finally:
        writer.close()


async def get(address: Address, path: str) -> tuple[int, str]:
    """Get a path; returns status and body."""
    answer = await ask(address, f"GET {path} HTTP/1.1\r\nHost: irene\r\n\r\n".encode())
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split()[1]), body
