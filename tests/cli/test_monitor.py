"""``irene-wyoming monitor``: against an address that serves metrics."""

import argparse
import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from irene_wyoming.app.monitor import parse
from irene_wyoming.cli import monitor
from irene_wyoming.config.model import MetricsConfig
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.web.exposition import exposed
from tests.cli.terminal import stopped

TEXT = """
# TYPE irene_connections gauge
irene_connections{server="wake"} 3.0
# TYPE irene_resident_bytes gauge
irene_resident_bytes{server="wake"} 5.0e+07
irene_resident_bytes{server="asr"} 1.0e+08
# TYPE irene_loop_lag_seconds histogram
irene_loop_lag_seconds_bucket{le="+Inf",server="wake"} 4.0
irene_loop_lag_seconds_count{server="wake"} 4.0
irene_loop_lag_seconds_sum{server="wake"} 0.02
# TYPE irene_refused_total counter
irene_refused_total{code="protocol-error",server="wake"} 2.0
irene_refused_total{code="limit-exceeded",server="wake"} 1.0
# TYPE irene_detections_total counter
irene_detections_total{model="okay_nabu"} 7.0
# TYPE irene_near_misses_total counter
irene_near_misses_total{model="okay_nabu"} 3.0
# TYPE irene_last_word_timestamp_seconds gauge
irene_last_word_timestamp_seconds{model="alexa"} 1.7e+09
irene_last_word_timestamp_seconds{model="okay_nabu"} 1.8e+09
# TYPE irene_last_word_score gauge
irene_last_word_score{model="alexa"} 0.5
irene_last_word_score{model="okay_nabu"} 0.94
# TYPE irene_transcripts_total counter
irene_transcripts_total{provider="guided",result="text"} 5.0
irene_transcripts_total{provider="guided",result="empty"} 2.0
"""


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    monitor.add_arguments(parser)
    return monitor.run(parser.parse_args(words))


@asynccontextmanager
async def figures() -> AsyncIterator[str]:
    """Serve TEXT as metrics; gives the address."""

    async def unready() -> list[str]:
        return ["mic: nobody answers at tcp://127.0.0.1:10600"]

    async with exposed(MetricsConfig(True, "127.0.0.1", 0), unready, TEXT.encode) as address:
        assert address is not None
        yield address.uri.replace("tcp:", "http:") + "/metrics"


async def served(*words: str) -> int:
    async with figures() as url:
        return await asyncio.to_thread(run, "--url", url, *words)


def test_rows_add_up_and_means_are_since_the_last_look() -> None:
    asr, wake = parse(TEXT).rows()
    assert (wake.server, wake.connections, wake.refused, wake.restarts) == ("wake", 3, 3, 0)
    assert wake.lag_ms == pytest.approx(5)
    assert (asr.server, asr.memory_mb, asr.connections) == ("asr", 100, 0)
    later = parse(TEXT.replace('_count{server="wake"} 4.0', '_count{server="wake"} 5.0').replace("0.02", "0.12"))
    assert later.rows(parse(TEXT))[1].lag_ms == pytest.approx(100)


async def test_it_prints_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert await served("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["server"] for row in told["servers"]] == ["asr", "wake"]
    assert told["detections"] == {"okay_nabu": 7}
    assert told["near_misses"] == {"okay_nabu": 3}
    assert told["down"] == {"mic": "nobody answers at tcp://127.0.0.1:10600"}
    assert told["last_word"] == {"word": "okay_nabu", "at": 1.8e9, "score": 0.94}
    assert (told["transcripts"], told["not_understood"]) == ({"guided": 7}, {"guided": 2})


async def test_it_shows_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich", reason="an extra")
    assert await served("--once") == 0
    shown = capsys.readouterr().out
    assert "wake" in shown
    assert "okay_nabu, nearly" in shown
    assert "not understood, by guided" in shown
    assert "last word: okay_nabu, peak score 0.94" in shown


def test_a_dead_server_is_red_and_says_why() -> None:
    console = pytest.importorskip("rich.console", reason="an extra").Console(force_terminal=True, width=120)
    figures = replace(parse(TEXT), unready={"mic": "gone [bold]", "asr": "does not answer"})
    with console.capture() as shown:
        console.print(monitor.view(figures, None))
    lines = [line for line in shown.get().splitlines() if "down:" in line]
    assert ["gone [bold]" in line or "does not answer" in line for line in lines] == [True, True]
    assert all("\x1b[31m" in line for line in lines)
    assert "\x1b[31m" not in next(line for line in shown.get().splitlines() if "wake" in line)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_terminal_shows_it_until_it_is_told_to_stop(number: signal.Signals) -> None:
    pytest.importorskip("rich", reason="an extra")
    async with figures() as url:
        command = ["monitor", "--url", url, "--every", "0.2"]
        ended = await asyncio.to_thread(stopped, command, "okay_nabu, nearly", 2, number)
    assert ended.code == 0
    assert ended.problems == ""
    assert ended.cursor_is_back


def test_nobody_there_is_named() -> None:
    with pytest.raises(ServerUnavailable, match="is a server running there"):
        run("--url", "http://127.0.0.1:1/metrics")


@pytest.mark.parametrize(
    "words",
    [
        ["--url", "file:///etc/passwd"],
        ["--url", "http://box:x/metrics"],
        ["--url", "http://[::1/metrics"],
        ["--every", "0"],
    ],
)
def test_wrong_use(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(*words)
