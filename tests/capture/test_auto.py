import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.capture.auto import AutoSource, microphones, pulse_default, pulse_sources
from irene_wyoming.capture.base import Capture, Source, Wanted
from irene_wyoming.capture.portaudio import devices
from irene_wyoming.capture.wavfile import SilenceSource
from irene_wyoming.errors import CaptureError
from irene_wyoming.stream.feed import Feed, FeedState
from tests.capture.conftest import PulseAudio
from tests.conftest import until

Way = Callable[[], Awaitable[Source]]


class BusySource:
    name = "busy device"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Capture]:
        raise CaptureError("busy device: in use")
        yield  # makes it a generator


def found(source: Source) -> Way:
    async def way() -> Source:
        return source

    return way


async def missing() -> Source:
    raise CaptureError("recorder is not installed")


async def take(source: Source, count: int) -> list[AudioChunk]:
    async with asyncio.timeout(60), source.open() as capture:
        reader = aiter(capture)
        return [await anext(reader) for _ in range(count)]


async def test_the_first_way_that_works_is_taken() -> None:
    silence = SilenceSource(SPEECH)
    source: Source = AutoSource([missing, found(BusySource()), found(silence), found(BusySource())])
    assert source.name == "microphone"
    assert (await take(source, 1))[0].format == SPEECH
    assert source.name == "silence"


async def test_where_none_works_the_reason_of_each_is_given_and_what_to_do() -> None:
    with pytest.raises(CaptureError) as raised:
        await take(AutoSource([missing, found(BusySource())]), 1)
    assert str(raised.value) == (
        "no microphone (recorder is not installed; busy device: in use):"
        " connect one, or set another kind of source in the configuration"
    )


async def test_the_ways_are_tried_anew_at_each_opening() -> None:
    ways: list[Way] = [missing]
    source = AutoSource([lambda: ways[-1]()])
    with pytest.raises(CaptureError):
        await take(source, 1)
    ways.append(found(SilenceSource(SPEECH)))
    assert await take(source, 1)


async def test_a_bare_machine_says_once_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if await asyncio.to_thread(has_sound_input):
        pytest.skip("this machine has a sound input")
    attempts = 0

    async def last_way() -> Source:
        nonlocal attempts
        attempts += 1
        raise CaptureError("tried everything")

    source = AutoSource([*microphones(), last_way])
    feed = Feed(source, linger_s=60, buffer_ms=2000, retry_s=0.01, retry_max_s=0.01)
    try:
        status = await feed.probe()
        assert status.state is FeedState.FAILED
        for way in ("PortAudio", "apt-get install pulseaudio-utils", "apt-get install alsa-utils", "connect one"):
            assert way in status.reason
        async with feed.listen(SPEECH, Quality.HIGH, 320):
            await until(lambda: attempts > 3)
    finally:
        await feed.close()
    assert [record.levelno for record in caplog.records if "no microphone" in record.getMessage()] == [logging.WARNING]


def has_sound_input() -> bool:
    try:
        return bool(devices())
    except CaptureError:
        return False


INFO = """Server String: /run/user/1000/pulse/native
Default Sample Specification: s16le 2ch 44100Hz
Default Sink: speaker
Default Source: alsa_input.usb-Blue_Yeti-00.analog-stereo
"""

SOURCES = """Source #0
\tState: SUSPENDED
\tName: speaker.monitor
\tDescription: Monitor of Null Output
\tDriver: module-null-sink.c
\tSample Specification: s16le 1ch 22050Hz
\tProperties:
\t\tdevice.description = "Monitor of Null Output"

Source #1
\tState: RUNNING
\tName: alsa_input.usb-Blue_Yeti-00.analog-stereo
\tDescription: Blue Yeti
\tSample Specification: s24le 2ch 48000Hz
\tVolume: front-left: 65536 / 100% / 0.00 dB

Source #2
\tName: odd
\tSample Specification: float32le 32ch 1000Hz
"""


def test_what_pulseaudio_prints_is_understood() -> None:
    assert pulse_default(INFO) == "alsa_input.usb-Blue_Yeti-00.analog-stereo"
    assert pulse_sources(SOURCES) == {
        "speaker.monitor": AudioFormat(22_050, 2, 1),
        "alsa_input.usb-Blue_Yeti-00.analog-stereo": AudioFormat(48_000, 3, 2),
    }


def test_a_server_without_sources_has_none() -> None:
    assert pulse_default("Server Name: PulseAudio\nDefault Source: \n") == ""
    assert pulse_sources("") == {}


# Programs that stand in for ALSA's.


def install(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def alsa_way() -> Way:
    return microphones()[2]


async def test_arecord_is_asked_for_short_periods_where_there_is_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    install(
        tmp_path,
        "arecord",
        f"""if [ "$1" = -l ]; then echo "card 1: Yeti [Blue Yeti], device 0: USB Audio [USB Audio]"; exit; fi
echo "$@" > {tmp_path}/asked; printf 12345678; sleep 60""",
    )
    heard = await take(AutoSource([alsa_way()]), 1)
    assert (heard[0].format, heard[0].pcm) == (AudioFormat(48_000, 2, 1), b"12345678")
    asked = (tmp_path / "asked").read_text().split()
    assert "-D default -f S16_LE -r 48000 -c 1 --period-time=20000 --buffer-time=80000" in " ".join(asked)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('echo "**** List of CAPTURE Hardware Devices ****"', "no sound card with an input"),
        ('echo "arecord: device_list:274: no soundcards found..." >&2; exit 1', "no soundcards found"),
    ],
    ids=["outputs only", "no card"],
)
async def test_arecord_without_a_card_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    install(tmp_path, "arecord", script)
    with pytest.raises(CaptureError, match=says):
        await alsa_way()()


# A real PulseAudio.


def pulse_way(device: str = "") -> Way:
    return microphones(Wanted(device))[1]


async def test_the_default_source_of_pulseaudio_is_heard_byte_for_byte_and_at_once(pulseaudio: PulseAudio) -> None:
    said = random.Random(3).randbytes(32_000)
    loop = asyncio.get_running_loop()
    async with pulseaudio.spoken(said), AutoSource([pulse_way()]).open() as capture, asyncio.timeout(60):
        assert capture.format == SPEECH
        heard, late = b"", []
        async for chunk in capture:
            heard += chunk.pcm
            late.append(loop.time() * 1000 - chunk.timestamp - chunk.frames / 16)
            if len(heard) >= 20_000:
                break
    assert heard in said + said + said
    assert (
        sorted(late)[len(late) // 2] < 500
    )  # ms from capture to here; bursts of 2 s would show, and a busy machine is late


@pytest.mark.usefixtures("pulseaudio")
async def test_a_monitor_as_default_source_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    way = pulse_way("speaker.monitor")
    for _ in range(3):
        source = await way()
        assert source.name == "PulseAudio source speaker.monitor"
    assert len([record for record in caplog.records if "is a microphone connected?" in record.getMessage()]) == 1


@pytest.mark.usefixtures("pulseaudio")
async def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CaptureError, match=r"no source 'yeti'; known: speaker\.monitor, microphone"):
        await pulse_way("yeti")()


async def test_a_server_that_is_gone_is_said_to_be(pulseaudio: PulseAudio) -> None:
    await pulseaudio.stop()
    with pytest.raises(CaptureError, match="pactl info: Connection failure"):
        await pulse_way()()


async def test_a_listener_hears_on_when_the_audio_server_is_restarted(pulseaudio: PulseAudio) -> None:
    feed = Feed(AutoSource([pulse_way()]), linger_s=0, buffer_ms=2000, retry_s=0.05, retry_max_s=0.05)
    try:
        async with asyncio.timeout(60), feed.listen(SPEECH, Quality.HIGH, 320) as audio:
            async with pulseaudio.spoken(b"\x01" * 320):
                first = await anext(audio)
            await pulseaudio.stop()
            await until(lambda: feed.status.state is FeedState.FAILED)
            await pulseaudio.start()
            async with pulseaudio.spoken(b"\x02" * 320):
                async for chunk in audio:
                    if b"\x02" in chunk.pcm:
                        break
            assert chunk.timestamp > first.timestamp
            assert chunk.start > first.start
    finally:
        await feed.close()
