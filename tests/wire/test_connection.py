"""A connection on a socket: reads that wait for a later byte, and all that ends the waiting."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from wyoming.audio import AudioChunk
from wyoming.event import Event

from irene_wyoming.wire.audio import AudioRun
from irene_wyoming.wire.connection import LOOK_S, Connection
from irene_wyoming.wire.framing import encode
from irene_wyoming.wire.limits import CLIENT_LIMITS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux wakes a reader at a byte further on")

CHUNK = AudioChunk(16_000, 2, 1, bytes(640)).event()
SENT = encode(CHUNK)
FOR_EVER_S = 3_600.0


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Connection, socket.socket]]:
    """A connection over TCP, and its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        other = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    reader, writer = await asyncio.open_connection(sock=ours)
    connection = Connection(reader, writer, CLIENT_LIMITS)
    try:
        yield connection, other
    finally:
        await connection.close()
        other.close()


async def test_a_read_wakes_at_the_byte_that_was_expected() -> None:
    async with connected() as (connection, other):
        assert connection.counts_bytes
        connection.expect(2 * len(SENT) + 1, FOR_EVER_S)
        reading = asyncio.create_task(connection.read(runs=True))
        for _ in range(2):
            other.sendall(SENT)
            for _ in range(20):
                await asyncio.sleep(0)
        assert not reading.done()
        other.sendall(SENT)
        event = await reading
        assert isinstance(event, AudioRun)
        assert len(event.chunks) == 3
        assert connection.taken_bytes == 3 * len(SENT)


async def test_hurry_ends_the_waiting_for_more() -> None:
    async with connected() as (connection, other):
        connection.expect(100_000, FOR_EVER_S)
        reading = asyncio.create_task(connection.read())
        await asyncio.sleep(0)
        other.sendall(SENT)
        connection.hurry()
        assert await reading == CHUNK


async def test_what_does_not_come_is_not_waited_for_longer_than_was_said() -> None:
    async with connected() as (connection, other):
        other.sendall(SENT)
        connection.expect(100_000, 0.01)
        assert await connection.read() == CHUNK


async def test_who_has_stopped_sending_is_answered_before_the_wait_is_over() -> None:
    async with connected() as (connection, other):
        other.sendall(SENT)
        over = asyncio.get_running_loop().time() + 60
        connection.expect(3_000 * len(SENT), 60)
        assert await connection.read() == CHUNK
        assert asyncio.get_running_loop().time() < over


async def test_who_goes_on_sending_is_waited_for() -> None:
    async with connected() as (connection, other):
        for _ in range(6):  # of ten, at once: more than half, whenever it is looked
            other.sendall(SENT)
        connection.expect(10 * len(SENT), 3 * LOOK_S)
        looked = asyncio.get_running_loop().time() + 2.5 * LOOK_S
        event = await connection.read(runs=True)
        assert asyncio.get_running_loop().time() > looked
        assert isinstance(event, AudioRun)


async def test_nothing_waits_at_a_socket_that_was_closed_meanwhile() -> None:
    async with connected() as (connection, other):
        other.sendall(SENT)
        await connection.close()
        assert connection.waiting_bytes == 0
        connection.expect(2 * len(SENT), FOR_EVER_S)


async def test_the_end_of_the_connection_is_seen_whatever_was_expected() -> None:
    async with connected() as (connection, other):
        connection.expect(100_000, FOR_EVER_S)
        other.shutdown(socket.SHUT_WR)
        assert await connection.read() is None


async def test_a_unix_socket_is_read_by_the_clock() -> None:
    ours, other = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    connection = Connection(reader, writer, CLIENT_LIMITS)
    assert not connection.counts_bytes
    other.sendall(SENT)
    await connection.rest(0.01)
    assert await connection.read() == Event(CHUNK.type, CHUNK.data, CHUNK.payload)
    await connection.close()
    other.close()
