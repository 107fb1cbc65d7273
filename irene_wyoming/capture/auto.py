"""AutoSource: the system's default microphone, by the first method that works on this machine."""

import asyncio
import logging
import os
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.base import ANY, BLOCK_MS, Capture, Device, Source, Wanted
from irene_wyoming.capture.command import CommandSource
from irene_wyoming.capture.portaudio import PortAudioSource
from irene_wyoming.errors import CaptureError, UnsupportedFormat

log = logging.getLogger(__name__)

_ASK_S = 2.0
"""Seconds for pactl and arecord to answer. They take milliseconds, or hang on a broken sound server."""

_PACKAGES = {"pactl": "pulseaudio-utils", "arecord": "alsa-utils"}
"""Debian's package for each program; parec comes with pactl."""

_PULSE_SAMPLES = {1: "u8", 2: "s16le", 3: "s24le", 4: "s32le"}
_PULSE_WIDTHS = {"u8": 1, "s24le": 3, "s24-32le": 4, "s32le": 4, "float32le": 4}
"""Bytes per sample to ask for by the source's own format, so that nothing is lost; 16 bit for any other."""

_ALSA_SAMPLES = {1: "U8", 2: "S16_LE", 3: "S24_3LE", 4: "S32_LE"}

_ALSA_RATE = 48_000
_ALSA_CHANNELS = 1
"""Channels asked of arecord, which cannot tell what the default device has. ALSA converts for other devices."""


class AutoSource:
    """Opens the system's default microphone by the first of several ways that works, tried anew each time.

    :raises CaptureError: from ``open``, when no way works; says why for each, and what to do.
    """

    def __init__(self, ways: Sequence[Callable[[], Awaitable[Source]]]) -> None:
        """:param ways: each gives a source to try, or raises CaptureError. See ``microphones``."""
        self._ways = tuple(ways)
        self._used = ""  # name of the source that was opened last

    @property
    def name(self) -> str:
        return self._used or "microphone"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Capture]:
        async with AsyncExitStack() as stack:
            yield await self._first(stack)

    async def _first(self, stack: AsyncExitStack) -> Capture:
        reasons: list[str] = []
        for way in self._ways:
            try:
                source = await way()
                capture = await stack.enter_async_context(source.open())
            except CaptureError as error:
                reasons.append(str(error))
                continue
            self._used = source.name
            return capture
        why = "; ".join(reasons)
        raise CaptureError(f"no microphone ({why}): connect one, or set another kind of source in the configuration")


def microphones(wanted: Wanted = ANY) -> list[Callable[[], Awaitable[Source]]]:
    """The usual ways to a microphone, best first: PortAudio, PulseAudio or PipeWire, ALSA."""

    async def by_portaudio() -> Source:
        return PortAudioSource(wanted)

    warned: set[str] = set()

    async def by_pulse() -> Source:
        source, native = await _pulse_source(wanted.device)
        if source.endswith(".monitor") and source not in warned:  # warn once, not at each opening
            warned.add(source)
            log.warning("PulseAudio's source %s is what the speaker plays: is a microphone connected?", source)
        form = AudioFormat(wanted.rate or native.rate, wanted.width, wanted.channels or min(native.channels, 2))
        recorder = _parec(source, form, wanted.block_ms)
        return CommandSource(recorder, form, name=f"PulseAudio source {source}", realtime=wanted.realtime)

    async def by_alsa() -> Source:
        if not re.search(r"^card \d+:", await _ask("arecord", "-l"), re.MULTILINE):
            raise CaptureError("arecord finds no sound card with an input")
        form = AudioFormat(wanted.rate or _ALSA_RATE, wanted.width, wanted.channels or _ALSA_CHANNELS)
        name = wanted.device or "default"
        recorder = _arecord(name, form, wanted.block_ms)
        return CommandSource(recorder, form, name=f"ALSA device {name}", realtime=wanted.realtime)

    return [by_portaudio, by_pulse, by_alsa]


async def _pulse_source(device: str) -> tuple[str, AudioFormat]:
    """Name and native format of the PulseAudio source with this name or part of a name; empty: the default source."""
    wanted = device or pulse_default(await _ask("pactl", "info"))
    sources = pulse_sources(await _ask("pactl", "list", "sources"))
    found = [wanted] if wanted in sources else [name for name in sources if wanted.casefold() in name.casefold()]
    if not wanted or len(found) != 1:
        problem = "more than one source with" if wanted and found else "no source"
        known = ", ".join(found or sources) or "none"
        raise CaptureError(f"PulseAudio has {problem} {wanted!r}; known: {known}")
    return found[0], sources[found[0]]


async def pulse_devices() -> list[Device]:
    """List the sources of PulseAudio or PipeWire, including the monitors of speakers.

    :raises CaptureError: there is no such server, or no pactl to ask it with.
    """
    default = pulse_default(await _ask("pactl", "info"))
    sources = pulse_sources(await _ask("pactl", "list", "sources"))
    return [
        Device(index, name, "PulseAudio", native, name == default, (native.rate,), (native.width,))
        for index, (name, native) in enumerate(sources.items())
    ]


def pulse_source(name: str, native: AudioFormat) -> Source:
    """Make the source for a PulseAudio source in its native format."""
    return CommandSource(_parec(name, native, BLOCK_MS), native, name=f"PulseAudio source {name}")


def _parec(source: str, audio_format: AudioFormat, block_ms: int) -> list[str]:
    """The command of parec, with a latency: without one it would deliver in bursts of 2 s."""
    argv = ["parec", "--raw", f"--device={source}", f"--format={_PULSE_SAMPLES[audio_format.width]}"]
    return [
        *argv,
        f"--rate={audio_format.rate}",
        f"--channels={audio_format.channels}",
        f"--latency-msec={block_ms}",
    ]


def _arecord(device: str, audio_format: AudioFormat, block_ms: int) -> list[str]:
    argv = ["arecord", "-q", "-t", "raw", "-D", device, "-f", _ALSA_SAMPLES[audio_format.width]]
    argv += ["-r", str(audio_format.rate), "-c", str(audio_format.channels)]
    return [*argv, f"--period-time={block_ms * 1000}", f"--buffer-time={4 * block_ms * 1000}"]  # microseconds


def pulse_default(info: str) -> str:
    """Name of the default source in the output of ``pactl info``; empty: it has none."""
    found = re.search(r"^Default Source: (\S+)$", info, re.MULTILINE)
    return found[1] if found else ""


def pulse_sources(listing: str) -> dict[str, AudioFormat]:
    """Name and native format of each source in the output of ``pactl list sources``; floats count as 32 bit."""
    found = re.findall(
        r"^\s*Name: (\S+)$.*?^\s*Sample Specification: (\S+) (\d+)ch (\d+)Hz$", listing, re.MULTILINE | re.DOTALL
    )
    sources = {}
    for name, samples, channels, rate in found:
        try:
            sources[name] = AudioFormat(int(rate), _PULSE_WIDTHS.get(samples, 2), int(channels))
        except UnsupportedFormat:
            log.debug("PulseAudio source %s: %s Hz, %s channels: not usable", name, rate, channels)
    return sources


async def _ask(*argv: str) -> str:
    """Run a program and return its output, in English; raises CaptureError when it is missing or fails."""

    def ask() -> str:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_ASK_S,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CaptureError(f"{argv[0]} does not answer") from error
        except FileNotFoundError as error:
            raise CaptureError(f"{argv[0]} is not installed: apt-get install {_PACKAGES[argv[0]]}") from error
        except OSError as error:
            raise CaptureError(f"{argv[0]} cannot be run: {error.strerror}") from error
        if done.returncode:
            words = done.stderr.decode(errors="replace").split("\n")[0].strip()
            raise CaptureError(f"{' '.join(argv)}: {words or f'exited with status {done.returncode}'}")
        return done.stdout.decode(errors="replace")

    return await asyncio.to_thread(ask)
