"""irene-wyoming profile: a server under load, and what its event loop does."""

import json
import os
import pstats
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str) -> tuple[int, str]:
    """Exit code and output. A process of its own: what the tests look for on the event loop would be measured, too."""
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


@pytest.mark.parametrize("words", [("--seconds", "1"), ("--clients", "0"), ("--stall-ms", "1"), ("--rows", "0")])
def test_what_makes_no_sense_is_refused(words: tuple[str, str]) -> None:
    code, printed = run("wake", *words)
    assert code == 2
    assert "expected --seconds" in printed
