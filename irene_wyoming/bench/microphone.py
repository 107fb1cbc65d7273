"""A microphone server in a process of its own, recording from a program, and what the kernel says of it."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.bench import recorder
from irene_wyoming.config.model import Address
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.servers.client import describe

START_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class State:
    """What the kernel says of a server."""

    cpu_s: float
    """Processor time of all its threads, so far."""
    resident_bytes: int
    descriptors: int
    recorders: int
    """Still running, of those that it has ever started."""


@dataclass(frozen=True, slots=True)
class MicServer:
    """A running server."""

    address: Address
    process: asyncio.subprocess.Process
    report: Path
    """Where recorders write their process numbers."""

    async def state(self) -> State:
        """The server must be running."""
        return await asyncio.to_thread(self._state)

    async def recorders(self) -> int:
        """As in ``state``, of a server that may have ended."""
        return await asyncio.to_thread(self._recorders)

    def _state(self) -> State:
        folder = Path(f"/proc/{self.process.pid}")
        tasks = [ran_ns(task) for task in (folder / "task").iterdir()]
        pages = int((folder / "statm").read_text().split()[1])
        return State(
            cpu_s=sum(tasks) / 1e9,
            resident_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
            descriptors=len(os.listdir(folder / "fd")),
            recorders=self._recorders(),
        )

    def _recorders(self) -> int:
        started = self.report.read_text().split() if self.report.exists() else []
        return sum(running(int(pid)) for pid in started)


@asynccontextmanager
async def mic_server(source: AudioFormat, block_frames: int, **settings: str) -> AsyncIterator[MicServer]:
    """A server whose recorder delivers blocks of ``block_frames``; ``settings``: as environment variables have them.

    :raises ServerUnavailable: it does not start.
    """
    folder = await asyncio.to_thread(TemporaryDirectory, prefix="irene-bench-")
    address, report = Address(path=f"{folder.name}/mic"), Path(folder.name, "recorders")
    command = recording(source, block_frames, str(report))
    values = {
        "URI": address.uri,
        "SOURCE__KIND": "command",
        "SOURCE__COMMAND": json.dumps(command),
        "SOURCE__SAMPLE_RATE": str(source.rate),
        "SOURCE__WIDTH": str(source.width),
        "SOURCE__CHANNELS": str(source.channels),
        "LIMITS__MAX_CONNECTIONS": "1000",
        **settings,
    }
    environment = {**os.environ, **{f"IRENE_WYOMING__MIC__{name}": value for name, value in values.items()}}
    environment["IRENE_WYOMING__DISCOVERY__ZEROCONF"] = "false"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "irene_wyoming", "mic", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await described(address)
        yield MicServer(address, process, report)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await asyncio.to_thread(folder.cleanup)


def recording(source: AudioFormat, block_frames: int, report: str) -> list[str]:
    """The recorder as a command."""
    numbers = (source.rate, source.frame_bytes, block_frames)
    return [sys.executable, "-S", recorder.__file__, *map(str, numbers), report]


async def described(address: Address) -> None:
    """Wait until a server has started."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            await describe(address)
            return
        except ServerUnavailable:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


def running(pid: int) -> bool:
    """Not gone, nor dead and waiting for its parent."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def ran_ns(task: Path) -> int:
    """For how long a thread has run, ns; 0 of one that has just ended."""
    try:
        return int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0
