"""The command as a user runs it: in a terminal, into a pipe, of a microphone server."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from irene_wyoming.__main__ import main
from irene_wyoming.app.mic import mic_server
from irene_wyoming.app.scores import listening, of_server
from irene_wyoming.config.model import Config

SPEECH = Path(__file__).parents[1] / "speech" / "wake"
COMMAND = [sys.executable, "-m", "irene_wyoming", "wake-scores"]


def test_a_recording_gives_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wake-scores", "--file", str(SPEECH / "okay_nabu_rms.wav"), "--engine", "microwakeword"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("heard ")[1][:9] for line in lines if "heard" in line] == ["okay_nabu"]
    assert "dBFS  okay_nabu 0." in lines[0]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--word", "hey_nobody"], "'hey_nobody': no such wake word; known are okay_nabu"),
        (["--engine", "nobody"], "'nobody': no such provider; enabled are openwakeword"),
        (["--file", "absent.wav"], "absent.wav: No such file"),
        (["--uri", "tcp://127.0.0.1:1"], "cannot reach tcp://127.0.0.1:1"),
    ],
)
def test_what_cannot_be_shown_is_told(capsys: pytest.CaptureFixture[str], arguments: list[str], why: str) -> None:
    assert main(["wake-scores", *arguments]) != 0
    assert why in capsys.readouterr().err


def test_a_terminal_shows_meters_until_ctrl_c() -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"IRENE_WYOMING__MIC__SOURCE__KIND": "silence", "TERM": "xterm"}
    command = [*COMMAND, "--engine", "microwakeword"]
    # In a shell's background job SIGINT is ignored, and what it starts inherits that.
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment, preexec_fn=heeds)
    os.close(theirs)
    shown = b""
    while shown.count(b"okay_nabu") < 3:
        shown += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    _, problems = process.communicate(timeout=10)
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # Linux says so where the other side has closed
    os.close(ours)
    assert process.returncode == 0
    assert b"Traceback" not in problems
    text = shown.decode()
    assert "dBFS" in text
    assert "\x1b[?25l" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back


async def test_a_microphone_server_can_be_watched(configured: Callable[..., Config]) -> None:
    source = {
        "MIC__SOURCE__KIND": "wavfile",
        "MIC__SOURCE__FILE": str(SPEECH / "hey_jarvis_slt.wav"),
        "MIC__SOURCE__LOOP": "true",
    }
    config = configured(**source)
    async with (
        mic_server(config) as mic,
        listening(config, "microwakeword", ["hey_jarvis"]) as listener,
        asyncio.timeout(20),
    ):
        moments = listener.moments(of_server(mic.address))
        async for moment in moments:
            if moment.heard:
                break
        await moments.aclose()
    assert moment.heard == ["hey_jarvis"]
    assert listener.thresholds == {"hey_jarvis": pytest.approx(0.95, abs=0.05)}
