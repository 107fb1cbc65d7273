"""The command ``irene-wyoming devices``."""

import argparse
import asyncio
from dataclasses import asdict, dataclass

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.audio.meter import Meter
from irene_wyoming.audio.pcm import decode
from irene_wyoming.capture.auto import pulse_devices, pulse_source
from irene_wyoming.capture.base import Device, Source, Wanted
from irene_wyoming.capture.portaudio import PortAudioSource, devices
from irene_wyoming.cli import common
from irene_wyoming.errors import CaptureError

PULSE = "PulseAudio"

OPEN_S = 3.0
"""Seconds to wait for a device's first audio: more than sound systems need, short enough for a dozen silent ones."""


@dataclass(frozen=True, slots=True)
class Level:
    """The level of a device, dBFS, as the mean of its channels."""

    level_dbfs: float | None
    peak_dbfs: float | None
    clipped: int
    problem: str
    """The reason why there is no level; empty: there is one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds",
        type=float,
        default=0.5,
        metavar="N",
        help="seconds to listen to each input; 0: do not open any; default: %(default)s",
    )
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0, also where there is no device; 1: they cannot be listed."""
    found = asyncio.run(heard(args.seconds))
    if args.json:
        common.print_json([{**asdict(device), "level": level and asdict(level)} for device, level in found])
    elif not found:
        print("no sound input; a USB microphone shows up here once it is plugged in")
    for device, level in () if args.json else found:
        print(line(device, level))
    return 0


async def heard(seconds: float) -> list[tuple[Device, Level | None]]:
    """List all inputs, with their levels where ``seconds`` is more than 0.

    :raises CaptureError: neither PortAudio nor PulseAudio answers.
    """
    problems, found = [], []
    try:
        found += await asyncio.to_thread(devices, probe=True)
    except CaptureError as error:
        problems.append(error)
    try:
        found += await pulse_devices()
    except CaptureError as error:
        problems.append(error)
    if len(problems) == 2:
        raise CaptureError("; ".join(map(str, problems)))
    return [(device, await listened(source(device), seconds) if seconds > 0 else None) for device in found]


def source(device: Device) -> Source:
    if device.api == PULSE:
        return pulse_source(device.name, device.format)
    return PortAudioSource(Wanted(str(device.index)))


async def listened(one: Source, seconds: float) -> Level:
    """Measure the level of a source."""
    try:
        async with asyncio.timeout(OPEN_S + seconds), one.open() as capture:
            meter = Meter(capture.format.rate, seconds)
            mono = Converter(capture.format, AudioFormat(capture.format.rate, 2, 1))
            frames = 0
            async for chunk in capture:
                meter.push(decode(mono.push(chunk.pcm), 2, 1)[:, 0])
                frames += chunk.frames
                if frames >= seconds * capture.format.rate:
                    break
        return Level(round(meter.level_dbfs, 1), round(meter.peak_dbfs, 1), meter.clipped, "")
    except TimeoutError:
        return Level(None, None, 0, f"no audio within {OPEN_S:g} s")
    except CaptureError as error:
        return Level(None, None, 0, str(error))


def line(device: Device, level: Level | None) -> str:
    index = "   " if device.api == PULSE else f"{device.index:3d}"  # PulseAudio's devices are chosen by name
    rates = " ".join(f"{rate / 1000:g}" for rate in device.rates)
    widths = " ".join(str(8 * width) for width in device.widths)
    able = f", can do {rates} kHz, {widths} bit" if rates and device.api != PULSE else ""
    text = f"{'*' if device.default else ' '} {index}  {device.name}  [{device.api}]  {device.format}{able}"
    if level is None:
        return text
    if level.problem:
        return f"{text}\n         {level.problem}"
    clipped = f", {level.clipped} samples clipped" if level.clipped else ""
    silent = " (digital silence: muted?)" if level.peak_dbfs == -100 else ""
    return f"{text}\n         level {level.level_dbfs:g} dBFS, peak {level.peak_dbfs:g} dBFS{clipped}{silent}"
