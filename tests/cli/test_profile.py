"""``irene-wyoming profile``: a server under load, and the work of its event loop."""

import asyncio
import json
import os
import pstats
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest


def run(*words: str) -> tuple[int, str]:
    """Run the command in a process of its own, without the checks of tests; gives exit code and output."""
    environ = os.environ | {"IRENE_WYOMING__MIC__SOURCE__KIND": "silence"}
    command = (sys.executable, "-m", "irene_wyoming", "profile", *words)
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stdout or ended.stderr


@pytest.mark.parametrize(("server", "function"), [("wake", "WakeRole.on_event"), ("asr", "AsrRole.on_event")])
def test_the_functions_of_the_event_loop_are_told_by_their_time(server: str, function: str, tmp_path: Path) -> None:
    stats = tmp_path / "all.pstats"
    code, printed = run(server, "--seconds", "2", "--clients", "1", "--rows", "500", "--json", "--output", str(stats))
    assert code == 0
    found = json.loads(printed)
    assert (found["server"], found["clients"]) == (server, 1)
    assert found["loop_ms_per_s"] > 0
    times = [call["own_ms_per_s"] for call in found["calls"]]
    assert times == sorted(times, reverse=True)
    assert any(call["name"].startswith(function) for call in found["calls"])
    assert pstats.Stats(str(stats)).get_stats_profile().total_tt > 0


def test_for_people_it_is_a_table() -> None:
    code, printed = run("mic", "--seconds", "2", "--clients", "2", "--rows", "3")
    assert code == 0
    first, _, head, *rows, stalls = printed.splitlines()
    assert first.startswith("mic server, 2 clients, 2 s: ")
    assert head.split() == ["ms/s", "with", "calls", "calls", "function"]
    assert len(rows) >= 3
    assert stalls.startswith(("stalls of 50 ms and more: ", "  "))


def sockets(pid: int) -> int:
    """The number of sockets of the processes that this one has started for its clients."""
    count = 0
    with suppress(OSError):  # processes come and go
        found = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children")]  # by thread
        for child in " ".join(found).split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                count += sum(str(each.readlink()).startswith("socket:") for each in Path(f"/proc/{child}/fd").iterdir())
    return count


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_ctrl_c_ends_it_and_its_clients_without_a_traceback() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "irene_wyoming", "profile", "mic", "--seconds", "3600", "--clients", "4"),
        env=os.environ | {"IRENE_WYOMING__MIC__SOURCE__KIND": "silence"},
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(60):
            while sockets(process.pid) < 4:  # noqa: ASYNC110  # listeners send no event
                await asyncio.sleep(0.02)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
            _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, said) == (130, b"")


@pytest.mark.parametrize("words", [("--seconds", "1"), ("--clients", "0"), ("--stall-ms", "1"), ("--rows", "0")])
def test_what_makes_no_sense_is_refused(words: tuple[str, str]) -> None:
    code, printed = run("wake", *words)
    assert code == 2
    assert "expected --seconds" in printed
