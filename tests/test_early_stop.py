"""A server that is stopped while it still imports modules."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

PATIENCE_S = 60.0


def has(pid: int, what: str, number: signal.Signals) -> bool:
    """Whether a process handles a signal (``SigCgt``) or blocks it (``SigBlk``)."""
    [mask] = [
        line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(f"{what}:")
    ]
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("command", ["run", "wake"])
async def test_it_ends_with_0(command: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "irene_wyoming", command)
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(has, process.pid, "SigCgt", signal.SIGTERM):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_it_ends_with_0_before_there_is_a_python_as_in_the_image() -> None:
    words = ("env", "--block-signal=TERM", sys.executable, "-m", "irene_wyoming", "wake")
    process = await asyncio.create_subprocess_exec(*words)
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(has, process.pid, "SigBlk", signal.SIGTERM):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
