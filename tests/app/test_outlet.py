"""A log without a reader does not stop a server."""

import asyncio
import fcntl
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
from wyoming.client import AsyncClient
from wyoming.wake import Detect

from irene_wyoming.app.outlet import Outlet, outlet
from irene_wyoming.bench.serving import free_port
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from tests.servers.clients import WAIT_S, read

PIPE_BYTES = 4_096
"""The smallest size that Linux gives a pipe."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A small pipe: its reader's and its writer's end."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    yield ends
    for end in ends:
        with suppress(OSError):  # a test has closed it
            os.close(end)


def read_all(end: int, last: str) -> list[str]:
    """Read lines until the last one comes."""
    text = b""
    while last.encode() not in text:
        text += os.read(end, 65_536)
    return text.decode().splitlines()


def test_lines_that_nobody_reads_wait_and_those_beyond_are_counted(pipe: tuple[int, int]) -> None:
    there, here = pipe
    log = Outlet(here, most=50)
    lines = [f"{number:099}" for number in range(200)]
    for line in lines:
        log.write(f"{line}\n")
    log.close()  # and waits a moment at most
    *told, last = read_all(there, "lines of the log were lost")
    assert told == lines[: len(told)]
    assert 50 + PIPE_BYTES // 100 <= len(told) <= 51 + PIPE_BYTES // 100
    assert last == f"{200 - len(told)} lines of the log were lost, since nobody read it"
    log.write("again\n")
    assert read_all(there, "again") == ["again"]


def test_what_is_read_is_written_before_anything_else_is(pipe: tuple[int, int]) -> None:
    there, here = pipe
    log = Outlet(here)
    for number in range(20):
        log.write(f"line {number}\n")
        os.write(here, b"printed\n")
    printed = read_all(there, "line 19\nprinted\n")
    assert printed == [line for number in range(20) for line in (f"line {number}", "printed")]


def test_a_reader_that_is_gone_is_no_trouble(pipe: tuple[int, int]) -> None:
    there, here = pipe
    os.close(there)
    log = Outlet(here)
    log.write("nobody\n")
    log.close()


def test_what_cannot_block_is_written_to_at_once() -> None:
    stream = io.StringIO()
    assert outlet(stream) is stream


async def test_a_server_whose_log_nobody_reads_serves_and_stops(pipe: tuple[int, int]) -> None:
    address = Address("127.0.0.1", free_port())
    settings = {"WAKE__URI": address.uri, "WAKE__VERIFY": "off", "WAKE__DEFAULT_PROVIDER": "microwakeword"}
    settings |= {"DISCOVERY__ZEROCONF": "false", "METRICS__ENABLED": "false"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "irene_wyoming", "wake"),
        env=os.environ | {f"IRENE_WYOMING__{key}": value for key, value in settings.items()},
        stderr=pipe[1],
    )
    try:
        async with asyncio.timeout(WAIT_S):
            while process.returncode is None:
                with suppress(ServerUnavailable):
                    await describe(address)
                    break
                await asyncio.sleep(0.05)
        for number in range(90):  # each is a line of the log
            async with AsyncClient.from_uri(address.uri) as client:
                await client.write_event(Detect(names=[f"unknown {number}"]).event())
                assert (await read(client)).type == "error"
        assert (await describe(address)).wake
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
