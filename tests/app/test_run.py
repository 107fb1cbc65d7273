"""irene-wyoming run: real processes on free ports, killed and stopped."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info

START_S = 30
"""Three interpreters and their models, on a busy machine."""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


class Running:
    """The program as a user starts it."""

    def __init__(self, process: asyncio.subprocess.Process, ports: dict[str, int]) -> None:
        self.process = process
        self.ports = ports

    async def describe(self, server: str) -> Info:
        async with AsyncClient.from_uri(f"tcp://127.0.0.1:{self.ports[server]}") as client:
            await client.write_event(Describe().event())
            while (event := await client.read_event()) is not None:
                if Info.is_type(event.type):
                    return Info.from_event(event)
        raise ConnectionError("closed without an Info")

    async def answers(self, server: str) -> None:
        """Wait until a server answers."""
        async with asyncio.timeout(START_S):
            while True:
                try:
                    await self.describe(server)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    return

    def child(self, server: str) -> int:
        """The process id of one server."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(pid) for pid in children if f"\0{server}\0" in Path(f"/proc/{pid}/cmdline").read_text() + "\0")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    ports = dict(zip(("wake", "asr", "mic", "front"), free_ports(4), strict=True))
    settings = {f"IRENE_WYOMING__{name.upper()}__URI": f"tcp://127.0.0.1:{port}" for name, port in ports.items()}
    settings |= {"IRENE_WYOMING__DISCOVERY__ZEROCONF": "false", "IRENE_WYOMING__MIC__SOURCE__KIND": "silence"}
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "irene_wyoming", "run", env=os.environ | settings, stderr=log
        )
    try:
        program = Running(process, ports)
        for server in ports:
            await program.answers(server)
        yield program
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        sys.stderr.write((tmp_path / "log").read_text())


async def test_a_killed_server_is_back_within_3_s_and_the_others_answer_throughout(running: Running) -> None:
    for killed in ("wake", "asr", "mic"):
        os.kill(running.child(killed), signal.SIGKILL)
        gone = time.monotonic()
        back = asyncio.create_task(running.answers(killed))
        while not back.done():
            for other in {"wake", "asr", "mic", "front"} - {killed}:
                async with asyncio.timeout(1):
                    await running.describe(other)
            await asyncio.sleep(0.02)
        await back
        assert time.monotonic() - gone < 3, f"{killed} took too long"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_everything_within_5_s_with_exit_code_0(running: Running, number: signal.Signals) -> None:
    children = [running.child(server) for server in ("wake", "asr", "mic")]
    running.process.send_signal(number)
    async with asyncio.timeout(5):
        assert await running.process.wait() == 0
    assert not any(is_alive(pid) for pid in children)


async def test_the_front_describes_all_of_them(running: Running) -> None:
    info = await running.describe("front")
    assert info.wake[0].name == "irene-wake"
    assert info.asr[0].name == "irene-asr"
    assert len(info.mic) == 1
