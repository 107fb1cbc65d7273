"""Runs a microphone server in a process of its own, recording from a program, and reads its usage."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.bench import recorder, usage
from irene_wyoming.bench.serving import serving
from irene_wyoming.wire.address import Address


@dataclass(frozen=True, slots=True)
class State:
    """The kernel's figures of a server."""

    cpu_s: float
    """CPU seconds of all its threads since the start."""
    resident_bytes: int
    descriptors: int
    recorders: int
    """Number of its recorders that still run."""


@dataclass(frozen=True, slots=True)
class MicServer:
    """A running server."""

    address: Address
    process: asyncio.subprocess.Process
    report: Path
    """File into which recorders write their process ids."""

    async def state(self) -> State:
        """Read the state of a running server."""
        return await asyncio.to_thread(self._state)

    async def recorders(self) -> int:
        """Count the recorders that still run, also after the server's end."""
        return await asyncio.to_thread(self._recorders)

    def _state(self) -> State:
        pid = self.process.pid
        return State(
            cpu_s=usage.clock_s(pid),  # without its recorder's
            resident_bytes=usage.resident_bytes(pid) or 0,
            descriptors=len(os.listdir(f"/proc/{pid}/fd")),
            recorders=self._recorders(),
        )

    def _recorders(self) -> int:
        started = self.report.read_text().split() if self.report.exists() else []
        return sum(running(int(pid)) for pid in started)


@asynccontextmanager
async def mic_server(source: AudioFormat, block_frames: int, **settings: str) -> AsyncIterator[MicServer]:
    """Run a server whose recorder delivers blocks of ``block_frames``; ``settings`` have the names of variables.

    :raises ServerUnavailable: it does not start.
    """
    folder = await asyncio.to_thread(TemporaryDirectory, prefix="irene-bench-")
    report = Path(folder.name, "recorders")
    values = {
        "source__kind": "command",
        "source__command": json.dumps(recording(source, block_frames, str(report))),
        "source__sample_rate": source.rate,
        "source__width": source.width,
        "source__channels": source.channels,
        "limits__max_connections": 1000,
        **settings,
    }
    try:
        async with serving("mic", values, address=Address(path=f"{folder.name}/mic")) as server:
            yield MicServer(server.address, server.process, report)
    finally:
        await asyncio.to_thread(folder.cleanup)


def recording(source: AudioFormat, block_frames: int, report: str) -> list[str]:
    """The recorder's command."""
    numbers = (source.rate, source.frame_bytes, block_frames)
    return [sys.executable, "-S", recorder.__file__, *map(str, numbers), report]


def running(pid: int) -> bool:
    """Whether a process runs and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"
