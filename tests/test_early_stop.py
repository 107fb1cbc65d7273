"""A server that is stopped while it still imports what it needs."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

PATIENCE_S = 60.0


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal by now."""
    [mask] = [
        line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")
    ]
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("command", ["run", "wake"])
async def test_it_ends_with_0(command: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "irene_wyoming", command)
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(catches, process.pid, signal.SIGTERM):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
