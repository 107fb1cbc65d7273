"""``wake-scores`` as a user runs it: in a terminal, into a pipe, on a microphone server."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from irene_wyoming.__main__ import main
from irene_wyoming.app.mic import mic_server
from irene_wyoming.app.scores import listening, of_server
from irene_wyoming.config.model import Config
from tests.cli.terminal import stopped

SPEECH = Path(__file__).parents[1] / "speech" / "wake"


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_shows_meters_until_it_is_told_to_stop(number: signal.Signals) -> None:
    command = ["wake-scores", "--engine", "microwakeword"]
    ended = stopped(command, "okay_nabu", 3, number, IRENE_WYOMING__MIC__SOURCE__KIND="silence")
    assert ended.code == 0
    assert "Traceback" not in ended.problems
    assert "dBFS" in ended.shown
    assert ended.cursor_is_back


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
        asyncio.timeout(60),
    ):
        moments = listener.moments(of_server(mic.address))
        async for moment in moments:
            if moment.heard:
                break
        await moments.aclose()
    assert moment.heard == ["hey_jarvis"]
    assert listener.thresholds == {"hey_jarvis": pytest.approx(0.95, abs=0.05)}
