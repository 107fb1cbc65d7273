"""Low limits of open files: servers refuse to start with a message, or serve fewer clients at a time."""

import asyncio
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from irene_wyoming import descriptors
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from tests.app.http import get
from tests.attack.process import answers, free_ports
from tests.conftest import ENVIRONMENT

QUICK = {"IRENE_WYOMING__ASR__ENABLED": "false", "IRENE_WYOMING__MIC__SOURCE__KIND": "silence"}
"""Settings that leave out what takes long to start and is not tested here."""


def command(name: str, files: int) -> list[str]:
    """The program's command under ``ulimit -n``."""
    return ["prlimit", f"--nofile={files}", sys.executable, "-m", "irene_wyoming", name]


@pytest.mark.parametrize("name", ["run", "wake", "asr", "mic", "check"])
def test_too_few_are_told_at_the_start(name: str) -> None:
    async def started() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *command(name, 32), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    code, output = asyncio.run(started())
    assert code == 2
    assert output.startswith("irene-wyoming: only 32 files may be open at a time (ulimit -n), and 64 are the least")
    assert output.count("\n") == 1


@asynccontextmanager
async def running(log: Path) -> AsyncIterator[dict[str, Address]]:
    """Run all servers for which 64 files are enough."""
    names = ("wake", "mic", "front", "metrics", "web")
    addresses = {name: Address("127.0.0.1", port) for name, port in zip(names, free_ports(5), strict=True)}
    where = {f"IRENE_WYOMING__{name.upper()}__URI": addresses[name].uri for name in ("wake", "mic", "front")}
    where |= {f"IRENE_WYOMING__{name.upper()}__PORT": str(addresses[name].port) for name in ("metrics", "web")}
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command("run", 64), env=os.environ | ENVIRONMENT | QUICK | where, stderr=errors
        )
    try:
        async with asyncio.timeout(60):
            await answers(addresses["front"])
        yield addresses
    finally:
        process.terminate()
        await process.wait()


async def connected(stack: ExitStack, address: Address, said: bytes, count: int = 100) -> list[asyncio.StreamReader]:
    """Open ``count`` connections that send these bytes and stay."""
    readers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        stack.callback(writer.close)
        writer.write(said)
        readers.append(reader)
    return readers


def gone(reader: asyncio.StreamReader) -> bool:
    return reader.exception() is not None or reader.at_eof()


async def test_with_few_some_are_served_the_others_told_and_none_is_lost_afterwards(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running(log) as addresses:
        for name, said in {
            "front": b'{"type":"detect"}\n',
            "wake": b'{"type":"detect"}\n',
            "mic": b"",
            "metrics": b"GET /metrics HTTP/1.1\r\n",
            "web": b"GET / HTTP/1.1\r\n",
        }.items():
            with ExitStack() as stack:
                readers = await connected(stack, addresses[name], said)
                async with asyncio.timeout(60):
                    while sum(map(gone, readers)) < 80:  # noqa: ASYNC110  # only the state shows it
                        await asyncio.sleep(0.01)
                assert (await get(addresses["metrics"], "/healthz"))[0] == 200
        with ExitStack() as stack:
            await connected(stack, addresses["wake"], b'{"type":"detect"}\n', count=10)
            with pytest.raises(ServerUnavailable, match="too many connections: at most 10 at a time"):
                await describe(addresses["wake"])
        for name in ("front", "wake", "mic"):
            await answers(addresses[name])
    text = log.read_text()
    assert "front: 5 clients are served at a time, not 64 (max_connections): only 64 files" in text
    assert "Traceback" not in text
    assert "Too many open files" not in text


def test_what_a_system_gives_is_enough_for_all_and_shared_out() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft >= 1024
    assert descriptors.shares(64, 2) == descriptors.Shares(clients=64, crowd=64)
    assert descriptors.shortage(64, 2) == ""
