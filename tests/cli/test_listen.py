"""``irene-wyoming listen``: against real microphone servers."""

import argparse
import asyncio
import json
import signal
import sys
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.audio import AudioChunk, AudioStop
from wyoming.event import Eventable

from irene_wyoming.app.mic import mic_server
from irene_wyoming.cli import listen
from irene_wyoming.config.model import Config
from irene_wyoming.errors import AudioError, ProtocolError, ServerUnavailable
from irene_wyoming.wire.framing import encode
from tests.conftest import SPEECH_DIR, read_wav

Configured = Callable[..., Config]
WORD = SPEECH_DIR / "wake" / "okay_nabu_rms.wav"


def microphone(configured: Configured, **changes: str) -> Config:
    """A microphone that plays the word again and again."""
    wav = {"MIC__SOURCE__KIND": "wavfile", "MIC__SOURCE__FILE": str(WORD), "MIC__SOURCE__LOOP": "true"}
    return configured(**wav, **changes)


def arguments(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    listen.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.mark.parametrize(("width", "rate"), [(2, 16_000), (3, 48_000)])
async def test_what_is_heard_is_in_the_file_and_measured(
    configured: Configured, tmp_path: Path, width: int, rate: int
) -> None:
    path = tmp_path / "heard.wav"
    config = microphone(configured, MIC__WIDTH=str(width), MIC__SAMPLE_RATE=str(rate))
    async with mic_server(config) as service:
        heard = await listen.listen(arguments("--uri", service.address.uri, "-o", path, "--seconds", "2.01"))
    assert heard is not None
    assert (heard.seconds, heard.lost_s) == (2.01, 0)
    assert -60 < heard.level_dbfs < heard.peak_dbfs < 0
    with wave.open(str(path)) as wav:
        assert (wav.getframerate(), wav.getsampwidth(), wav.getnchannels()) == (rate, width, 1)
        assert wav.getnframes() == round(2.01 * rate)
        pcm = wav.readframes(rate)
    if width == 2:
        assert pcm in read_wav(WORD).pcm * 3
    assert str(path) in listen.summary(heard, path)


async def test_ctrl_c_ends_a_recording_properly(configured: Configured, tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    async with mic_server(microphone(configured)) as service:
        command = ["-m", "irene_wyoming", "listen", "--uri", service.address.uri, "-o", str(path), "--json"]
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(60):
            while not path.exists():  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            printed, _ = await process.communicate()
    assert process.returncode == 0
    with wave.open(str(path)) as wav:
        assert wav.getnframes() / 16_000 == json.loads(printed)["seconds"] >= 1


@asynccontextmanager
async def saying(*events: Eventable) -> AsyncIterator[str]:
    """A server that sends these events to each client; gives its address."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(encode(each.event()) for each in events))
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def chunk(timestamp: int | None, rate: int = 16_000) -> AudioChunk:
    return AudioChunk(rate=rate, width=2, channels=1, audio=b"\xff\x7f" * (rate // 50), timestamp=timestamp)


async def test_lost_audio_shows_in_the_timestamps() -> None:
    async with saying(chunk(100), chunk(120), chunk(641), chunk(660), AudioStop()) as uri:
        heard = await listen.listen(arguments("--uri", uri))
    assert heard is not None
    assert (heard.seconds, heard.lost_s, heard.clipped) == (0.08, 0.501, 4 * 320)


async def test_servers_without_timestamps_lose_nothing_that_we_know_of() -> None:
    async with saying(chunk(None), chunk(None), AudioStop()) as uri:
        heard = await listen.listen(arguments("--uri", uri))
    assert heard is not None
    assert (heard.seconds, heard.lost_s) == (0.04, 0)


async def test_a_stream_without_audio_is_nothing_heard() -> None:
    async with saying(AudioStop()) as uri:
        assert await listen.listen(arguments("--uri", uri)) is None


async def test_what_goes_wrong_is_said_in_words(tmp_path: Path) -> None:
    async with saying(chunk(0), chunk(20, rate=8_000)) as uri:
        with pytest.raises(AudioError, match="went on in 8000 Hz 16 bit mono after 16000 Hz"):
            await listen.listen(arguments("--uri", uri))
    async with saying(chunk(0)) as uri:
        with pytest.raises(ProtocolError, match="the server ended the connection"):
            await listen.listen(arguments("--uri", uri))
    async with saying(chunk(0), AudioStop()) as uri:
        with pytest.raises(AudioError, match="No such file or directory"):
            await listen.listen(arguments("--uri", uri, "-o", tmp_path / "nowhere" / "heard.wav"))
    seconds = [chunk(number * 20) for number in range(100)]
    async with saying(*seconds, AudioStop()) as uri:  # a full disk
        with pytest.raises(AudioError, match="/dev/full: No space left on device"):
            await listen.listen(arguments("--uri", uri, "-o", "/dev/full"))
    with pytest.raises(ServerUnavailable):
        await listen.listen(arguments("--uri", uri))


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x"])
def test_seconds_that_make_no_sense_are_a_wrong_use(text: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        arguments("--seconds", text)


def test_the_meter_shows_level_and_peak() -> None:
    heard = listen.Heard("", 1, 0, level_dbfs=-30, peak_dbfs=-10, snr_db=9, clipped=0)
    assert "[===============         |     ]" in listen.live_line(heard)
    quiet = listen.Heard("", 1, 0.5, level_dbfs=-100, peak_dbfs=-100, snr_db=0, clipped=7)
    assert f"[{' ' * 30}]  clipped 7  lost 0.5 s" in listen.live_line(quiet)
