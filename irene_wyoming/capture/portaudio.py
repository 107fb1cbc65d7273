"""PortAudioSource: sound inputs by PortAudio. No other module knows that library.

PortAudio calls back on a thread of its own. Opening, closing and listing may take tenths of a second, so they run on
threads too. They run one at a time, since the library allows no more.
"""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Self

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import MAX_CHANNELS, MAX_RATE, MIN_RATE, AudioFormat
from irene_wyoming.capture.base import ANY, Device, Wanted
from irene_wyoming.capture.clock import SampleClock
from irene_wyoming.capture.inbox import Inbox
from irene_wyoming.errors import CaptureError

log = logging.getLogger(__name__)

_BUFFER_MS = 1000
"""Milliseconds of audio kept for a busy event loop. Beyond it the oldest block is lost, and the gap shows."""

USUAL_RATES = (8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000)
"""Sample rates, Hz, that sound cards are built for."""

_SAMPLES = {1: "uint8", 2: "int16", 3: "int24", 4: "int32"}
"""PortAudio's name of the sample format by bytes per sample."""

_LIBRARY = threading.Lock()
"""Lock held for every call into PortAudio, except those on its own thread."""

_open_streams = 0
"""Number of open streams. While there is one, PortAudio cannot be restarted to find new devices."""


class PortAudioSource:
    """A sound input of PortAudio."""

    def __init__(self, wanted: Wanted = ANY, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._wanted = wanted
        self._found = ""  # the device's own name; empty until it is opened
        self._clock = clock

    @property
    def name(self) -> str:
        if not self._wanted.device:
            return f"default sound input, {self._found}" if self._found else "default sound input"
        return f"sound input {self._found or self._wanted.device}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator["PortAudioCapture"]:
        inbox = Inbox[AudioChunk](_BUFFER_MS // self._wanted.block_ms)
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, self._open, inbox)
        try:
            capture = await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait({opening})  # a thread cannot be cancelled; the stream that it opens must be closed
            if opening.exception() is None:
                await loop.run_in_executor(None, opening.result().close)
            raise
        try:
            yield capture
        finally:
            await asyncio.shield(loop.run_in_executor(None, capture.close))

    def _open(self, inbox: Inbox[AudioChunk]) -> "PortAudioCapture":
        """Open the device. Blocks."""
        global _open_streams
        with _LIBRARY:
            sounddevice = _fresh_library()
            wanted = self._wanted
            device = choose(_inputs(sounddevice), wanted.device)
            self._found = device.name
            audio_format = AudioFormat(
                wanted.rate or device.format.rate, wanted.width, wanted.channels or min(device.format.channels, 2)
            )
            recorder = Recorder(audio_format, inbox, self._clock, lambda: wanted.realtime.give(device.name))
            try:
                stream = sounddevice.RawInputStream(
                    device=device.index,
                    samplerate=audio_format.rate,
                    channels=audio_format.channels,
                    dtype=_SAMPLES[audio_format.width],
                    blocksize=audio_format.rate * wanted.block_ms // 1000,
                    latency="low",
                    callback=recorder.on_block,
                    finished_callback=inbox.end,
                )
            except sounddevice.PortAudioError as error:
                raise CaptureError(f"{device.name}: cannot be opened at {audio_format}: {error}") from error
            try:
                stream.start()
            except sounddevice.PortAudioError as error:
                stream.close()
                raise CaptureError(f"{device.name}: cannot be started at {audio_format}: {error}") from error
            _open_streams += 1
            return PortAudioCapture(device.name, audio_format, stream, inbox, recorder)


class PortAudioCapture:
    """A running sound input.

    :raises CaptureError: from the iteration, when the device has gone.
    """

    def __init__(
        self, device: str, audio_format: AudioFormat, stream: Any, inbox: Inbox[AudioChunk], recorder: "Recorder"
    ) -> None:
        self._device = device
        self._format = audio_format
        self._stream: Any = stream  # None: closed
        self._inbox = inbox
        self._recorder = recorder

    @property
    def format(self) -> AudioFormat:
        return self._format

    @property
    def overruns(self) -> int:
        """How often audio was lost in the device's buffer or in the queue to the event loop."""
        return self._recorder.overflows + self._inbox.dropped

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AudioChunk:
        try:
            return await anext(self._inbox)
        except StopAsyncIteration:
            raise CaptureError(f"{self._device}: has stopped; was it unplugged?") from None

    def close(self) -> None:
        """Stop the device and wait for its thread. Blocks. May be called more than once."""
        global _open_streams
        with _LIBRARY:
            if self._stream is None:
                return
            self._stream.close(ignore_errors=True)  # a device that has gone cannot be closed without errors
            self._stream = None
            _open_streams -= 1
        if self.overruns:
            log.warning("%s: audio was lost %d times: the machine is too busy", self._device, self.overruns)


class Recorder:
    """Runs on PortAudio's thread: copies each block and hands it over."""

    def __init__(
        self,
        audio_format: AudioFormat,
        inbox: Inbox[AudioChunk],
        clock: Callable[[], float],
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        """:param on_start: called on the thread before its first block."""
        self.overflows = 0
        self._on_start: Callable[[], None] | None = on_start  # None: it has been called
        self._format = audio_format
        self._inbox = inbox
        self._clock = clock
        self._samples = SampleClock(audio_format.rate)

    def on_block(self, block: Any, frames: int, times: Any, status: Any) -> None:
        captured = self._clock()
        if self._on_start is not None:
            self._on_start()
            self._on_start = None
        waited = times.currentTime - times.inputBufferAdcTime - frames / self._format.rate
        if 0 < waited < 1:  # some systems give no times, or wrong ones
            captured -= waited
        if status.input_overflow:
            self.overflows += 1
            self._samples.lost(frames, captured)
        start = self._samples.position
        timestamp = self._samples.arrived(frames, captured)
        self._inbox.put(AudioChunk(self._format, bytes(block), start, timestamp))


def devices(*, probe: bool = False) -> list[Device]:
    """List the present sound inputs of this machine. Blocks for up to some tenths of a second.

    ``probe``: also ask each for the rates and widths that it can be opened at, which takes longer.

    :raises CaptureError: PortAudio is not installed; says how to install it.
    """
    with _LIBRARY:
        sounddevice = _fresh_library()
        inputs = _inputs(sounddevice)
        return [_probed(sounddevice, device) for device in inputs] if probe else inputs


def _probed(sounddevice: Any, device: Device) -> Device:
    def opens(rate: int, width: int) -> bool:
        try:
            sounddevice.check_input_settings(device.index, device.format.channels, _SAMPLES[width], samplerate=rate)
        except (sounddevice.PortAudioError, ValueError):
            return False
        return True

    native = device.format
    return replace(
        device,
        rates=tuple(rate for rate in USUAL_RATES if opens(rate, native.width)),
        widths=tuple(width for width in _SAMPLES if opens(native.rate, width)),
    )


def choose(inputs: Sequence[Device], wanted: str) -> Device:
    """Choose an input by its index, name or part of a name; the default one where ``wanted`` is empty.

    :raises CaptureError: none or several match; the message lists them.
    """
    if not wanted:
        found = [device for device in inputs if device.default]
    elif wanted.isdecimal():
        found = [device for device in inputs if device.index == int(wanted)]
    else:
        found = [device for device in inputs if device.name == wanted]
        found = found or [device for device in inputs if wanted.casefold() in device.name.casefold()]
        if len({device.name for device in found}) == 1:
            found = found[:1]  # one device offered by several sound systems; PortAudio lists its preferred one first
    if len(found) == 1:
        return found[0]
    if not inputs:
        raise CaptureError("PortAudio finds no sound input")
    known = ", ".join(f"{device.index} {device.name!r}" for device in (found or inputs))
    if found:
        raise CaptureError(f"sound input {wanted!r}: more than one has this in its name: {known}")
    what = f"no sound input {wanted!r}" if wanted else "no default sound input"
    raise CaptureError(f"{what}; there are: {known}")


def _fresh_library() -> Any:
    """The sounddevice module, updated to the devices that are present now."""
    known = "sounddevice" in sys.modules
    try:
        import sounddevice
    except OSError as error:
        raise CaptureError(f"{error}: install it, e.g. apt-get install libportaudio2") from error
    except ImportError as error:
        raise CaptureError("sounddevice is not installed: pip install sounddevice") from error
    try:
        if known and _open_streams == 0:
            sounddevice._terminate()  # noqa: SLF001  # documented; the only way to have PortAudio look again
            sounddevice._initialize()  # noqa: SLF001
    except sounddevice.PortAudioError as error:
        raise CaptureError(f"PortAudio cannot be started: {error}") from error
    return sounddevice


def _inputs(sounddevice: Any) -> list[Device]:
    apis = sounddevice.query_hostapis()
    try:
        default = sounddevice.query_devices(kind="input")["index"]
    except (sounddevice.PortAudioError, ValueError):
        default = None
    return [
        Device(
            index=found["index"],
            name=found["name"],
            api=apis[found["hostapi"]]["name"],
            format=AudioFormat(
                min(max(int(found["default_samplerate"]), MIN_RATE), MAX_RATE),
                2,
                min(found["max_input_channels"], MAX_CHANNELS),
            ),
            default=found["index"] == default,
        )
        for found in sounddevice.query_devices()
        if found["max_input_channels"] > 0
    ]
