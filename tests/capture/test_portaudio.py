import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import pytest

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.capture.base import Device, Source, Wanted
from irene_wyoming.capture.inbox import Inbox
from irene_wyoming.capture.portaudio import PortAudioSource, Recorder, choose, devices
from irene_wyoming.errors import CaptureError
from tests.capture.conftest import SYSTEM_ALSA, PulseAudio


def device(index: int, name: str, *, default: bool = False, api: str = "ALSA") -> Device:
    return Device(index, name, api, AudioFormat(48_000, 2, 2), default)


DESK = [
    device(0, "HDA Intel PCH: ALC257 Analog (hw:0,0)"),
    device(2, "Blue Yeti: USB Audio (hw:1,0)"),
    device(3, "Blue Snowball: USB Audio (hw:2,0)"),
    device(7, "default", default=True),
    device(9, "default", api="OSS"),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [("", 7), ("2", 2), ("Blue Yeti: USB Audio (hw:1,0)", 2), ("yeti", 2), ("SNOW", 3), ("default", 7), ("hw:0,0", 0)],
)
def test_a_device_is_chosen_by_index_name_or_part_of_its_name(wanted: str, index: int) -> None:
    assert choose(DESK, wanted).index == index


@pytest.mark.parametrize(
    ("inputs", "wanted", "says"),
    [
        (DESK, "USB", "'USB': more than one has this in its name: 2 'Blue Yeti.*, 3 'Blue Snowball.*$"),
        (DESK, "jabra", "no sound input 'jabra'; there are: 0 'HDA.*7 'default'"),
        (DESK, "1", "no sound input '1'"),
        (DESK[:2], "", "no default sound input; there are: 0 "),
        ([], "", "finds no sound input"),
        ([], "yeti", "finds no sound input"),
    ],
)
def test_a_choice_that_cannot_be_made_lists_what_there_is(inputs: list[Device], wanted: str, says: str) -> None:
    with pytest.raises(CaptureError, match=says):
        choose(inputs, wanted)


def test_importing_the_module_does_not_load_portaudio() -> None:
    script = "import sys, irene_wyoming.capture.auto; sys.exit('sounddevice' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("import ctypes.util; ctypes.util.find_library = lambda name: None", "apt-get install libportaudio2"),
        ("import sys; sys.modules['sounddevice'] = None", "pip install sounddevice"),
    ],
    ids=["the library", "the package"],
)
def test_what_is_missing_is_said_with_what_to_install(missing: str, says: str) -> None:
    script = f"""
{missing}
import asyncio
from irene_wyoming.capture.portaudio import PortAudioSource, devices
from irene_wyoming.errors import CaptureError

async def main():
    try:
        async with PortAudioSource().open(): pass
    except CaptureError as error: print(error)

asyncio.run(main())
try: devices()
except CaptureError as error: print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert [says in line for line in done.stdout.splitlines()] == [True, True]


def portaudio_or_skip() -> list[Device]:
    try:
        return devices()
    except CaptureError as error:
        pytest.skip(str(error))


async def test_a_machine_without_a_sound_input_says_so() -> None:
    if await asyncio.to_thread(portaudio_or_skip):
        pytest.skip("this machine has a sound input")
    with pytest.raises(CaptureError, match="PortAudio finds no sound input"):
        async with PortAudioSource().open():
            pass


async def test_a_device_that_is_not_there_is_refused_by_name() -> None:
    await asyncio.to_thread(portaudio_or_skip)
    with pytest.raises(CaptureError, match="sound input"):
        async with PortAudioSource(Wanted("no such device")).open():
            pass


def times(waited_s: float, frames: int) -> SimpleNamespace:
    """PortAudio's times for a block of ``frames`` whose last frame was captured ``waited_s`` ago."""
    return SimpleNamespace(currentTime=50.0, inputBufferAdcTime=50.0 - waited_s - frames / 16_000)


FINE, OVERFLOW = SimpleNamespace(input_overflow=False), SimpleNamespace(input_overflow=True)


async def test_blocks_are_stamped_with_the_time_at_which_the_device_captured_them() -> None:
    now: Iterator[float] = iter([100.04, 100.06, 100.08])
    inbox = Inbox[AudioChunk](9)
    recorder = Recorder(SPEECH, inbox, lambda: next(now))
    buffer = bytearray(b"\x01" * 640)
    for _ in range(3):
        recorder.on_block(memoryview(buffer), 320, times(0.02, 320), FINE)
    buffer[:] = bytes(640)  # PortAudio reuses the buffer
    inbox.end()
    heard = [(chunk.start, chunk.timestamp, chunk.pcm[:1]) async for chunk in inbox]
    assert heard == [(0, 100_000, b"\x01"), (320, 100_020, b"\x01"), (640, 100_040, b"\x01")]


async def test_an_overrun_of_the_device_is_counted_and_shows_as_a_gap() -> None:
    now: Iterator[float] = iter([100.02, 100.04, 100.56])
    inbox = Inbox[AudioChunk](9)
    recorder = Recorder(SPEECH, inbox, lambda: next(now))
    for status in (FINE, FINE, OVERFLOW):
        recorder.on_block(bytes(640), 320, times(0, 320), status)
    inbox.end()
    heard = [(chunk.start, chunk.timestamp) async for chunk in inbox]
    assert heard[:2] == [(0, 100_000), (320, 100_020)]
    assert heard[2][0] == pytest.approx(640 + 8000, abs=16)
    assert heard[2][1] == 100_540
    assert recorder.overflows == 1


async def test_a_device_that_says_nothing_of_its_times_is_stamped_on_arrival() -> None:
    inbox = Inbox[AudioChunk](9)
    Recorder(SPEECH, inbox, lambda: 100.02).on_block(
        bytes(640), 320, SimpleNamespace(currentTime=50.0, inputBufferAdcTime=0.0), FINE
    )
    inbox.end()
    assert [chunk.timestamp async for chunk in inbox] == [100_000]


# A real sound server behind the real library, through ALSA.


@pytest.fixture
async def sound_input(pulseaudio: PulseAudio) -> AsyncIterator[PulseAudio]:
    if not SYSTEM_ALSA.exists():
        pytest.skip("the configuration of ALSA is not installed (libasound2-data)")
    found = await asyncio.to_thread(portaudio_or_skip)
    if not any(each.default and each.name == "default" for each in found):
        pytest.skip("ALSA's way to PulseAudio is not installed (libasound2-plugins)")
    async with pulseaudio.spoken(random.Random(1).randbytes(32_000)):
        yield pulseaudio


@pytest.mark.usefixtures("sound_input")
@pytest.mark.parametrize(
    ("rate", "channels", "width", "expected"),
    [(0, 0, 2, AudioFormat(44_100, 2, 2)), (16_000, 1, 2, SPEECH), (48_000, 2, 4, AudioFormat(48_000, 4, 2))],
    ids=["as it is", "16 kHz mono", "32 bit"],
)
async def test_an_input_delivers_what_was_asked_of_it_without_a_gap(
    rate: int, channels: int, width: int, expected: AudioFormat
) -> None:
    source: Source = PortAudioSource(Wanted(rate=rate, channels=channels, width=width))
    async with source.open() as capture, asyncio.timeout(60):
        assert capture.format == expected
        reader = aiter(capture)
        heard = [await anext(reader) for _ in range(10)]
    assert [chunk.start for chunk in heard] == [n * heard[0].frames for n in range(10)]
    assert {chunk.format for chunk in heard} == {expected}
    assert any(any(chunk.pcm) for chunk in heard)
    assert heard[-1].timestamp - heard[0].timestamp == pytest.approx(180, abs=60)


async def test_an_input_that_goes_away_breaks_the_capture_and_is_found_again(sound_input: PulseAudio) -> None:
    async with PortAudioSource().open() as capture, asyncio.timeout(60):
        await anext(capture)
        await sound_input.stop()
        with pytest.raises(CaptureError, match="has stopped"):
            async for _ in capture:
                pass
    await sound_input.start()
    async with sound_input.spoken(bytes(320)), PortAudioSource().open() as capture, asyncio.timeout(60):
        await anext(capture)


@pytest.mark.usefixtures("sound_input")
async def test_giving_up_while_the_device_opens_leaves_it_closed() -> None:
    async def listen() -> None:
        async with PortAudioSource().open():
            raise AssertionError("given up before")

    for _ in range(3):
        task = asyncio.create_task(listen())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asyncio.to_thread(devices)


@pytest.mark.usefixtures("sound_input")
async def test_devices_are_listed_with_what_they_can_do() -> None:
    default = next(each for each in await asyncio.to_thread(devices) if each.default)
    assert (default.name, default.api, default.format.channels) == ("default", "ALSA", 8)


@pytest.mark.usefixtures("sound_input")
async def test_listing_devices_while_one_is_open_does_not_disturb_it() -> None:
    async with PortAudioSource().open() as capture, asyncio.timeout(60):
        await anext(capture)
        assert await asyncio.to_thread(devices)
        before = await anext(capture)
        assert (await anext(capture)).start == before.start + before.frames
