"""The command ``irene-wyoming listen``."""

import argparse
import asyncio
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.audio.meter import Meter
from irene_wyoming.audio.pcm import decode
from irene_wyoming.cli import common
from irene_wyoming.errors import AudioError
from irene_wyoming.wire.address import Address

DEFAULT = Address("127.0.0.1", 10600)

SHOWN_EVERY_S = 0.2
"""Seconds of audio between two lines, as often as the meter computes its figures."""

WRITTEN_EVERY_S = 1.0
"""Seconds of audio per write to the file, which happens on a thread."""

MAX_FILE_BYTES = (1 << 32) - (1 << 20)
"""Most bytes of a wav file, which counts them in 32 bit: 37 hours of 16 kHz mono."""

SOFTEST_DBFS = -60
DB_PER_CHARACTER = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """Figures of the audio heard. Levels are those of the channels' mean over the last second, dBFS."""

    format: str
    seconds: float
    lost_s: float
    """Seconds of audio lost by the server or the network, by the timestamps."""
    level_dbfs: float
    peak_dbfs: float
    snr_db: float
    clipped: int
    """Samples at full scale in the whole stream."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--uri",
        type=common.address,
        default=DEFAULT,
        metavar="URI",
        help=f"the microphone server: tcp://host:port or unix:///path (none: {DEFAULT.uri})",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.wav", help="record into this file (none: no file)")
    parser.add_argument(
        "--seconds", type=common.number(0.001), metavar="N", help="seconds of audio after which to stop (none: Ctrl-C)"
    )
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: audio was heard; 1: there was none, or it broke off."""
    heard = asyncio.run(listen(args))
    if heard is None:
        print("nothing was heard", file=sys.stderr)
        return 1
    if args.json:
        common.print_json(asdict(heard))
    else:
        print(summary(heard, args.output))
    return 0


async def listen(args: argparse.Namespace) -> Heard | None:
    """Listen until the audio ends, is enough, or the command is told to stop. None: there was none."""
    from irene_wyoming.app.lifecycle import until_stopped
    from irene_wyoming.wire.listen import listening

    listener = Listener(args.output, args.seconds, live=sys.stderr.isatty() and not args.json)
    async with listening(args.uri) as chunks:
        try:
            await until_stopped(listener.take(chunks))
        finally:
            await asyncio.to_thread(listener.close)
    return listener.heard()


class Listener:
    """Measures audio, shows its level, and writes it to a file where one is wanted."""

    def __init__(self, path: Path | None, seconds: float | None, *, live: bool) -> None:
        """:param seconds: most audio to take.
        :param live: show the level meanwhile.
        """
        self._path = path
        self._seconds = seconds
        self._live = live
        self._gauge: Gauge | None = None  # None: no audio yet
        self._file: WavFile | None = None  # None: no audio yet, or no file wanted

    async def take(self, chunks: AsyncIterator[AudioChunk]) -> None:
        """Take chunks; raises AudioError where the file cannot be written, or the format changes."""
        shown_s = 0.0
        async for chunk in chunks:
            if self._gauge is None:
                self._gauge = Gauge(chunk.format)
                self._file = WavFile(self._path, chunk.format) if self._path else None
            pcm = self._gauge.take(chunk, self._seconds)
            if self._file is not None and self._file.add(pcm):
                await asyncio.to_thread(self._file.write)
            if self._live and self._gauge.seconds - shown_s >= SHOWN_EVERY_S:
                shown_s = self._gauge.seconds
                print(f"\r{live_line(self._gauge.heard())}", end="", file=sys.stderr, flush=True)
            if self._seconds is not None and self._gauge.seconds >= self._seconds:
                return

    def heard(self) -> Heard | None:
        return self._gauge.heard() if self._gauge else None

    def close(self) -> None:
        """Write the rest. Blocks."""
        if self._live and self._gauge:
            print(file=sys.stderr)
        if self._file is not None:
            self._file.close()


class Gauge:
    """Measures the length and level of a stream."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._mono = Converter(audio_format, AudioFormat(audio_format.rate, 2, 1))
        self._meter = Meter(audio_format.rate)
        self._frames = 0
        self._lost = 0  # number of lost frames
        self._next: int | None = None  # start of the next chunk if nothing is lost; None before the first

    @property
    def seconds(self) -> float:
        return self._frames / self._format.rate

    def take(self, chunk: AudioChunk, until_s: float | None) -> bytes:
        """Measure a chunk, or its part before ``until_s``; returns that part.

        :raises AudioError: its format has changed.
        """
        if chunk.format != self._format:
            raise AudioError(f"the server went on in {chunk.format} after {self._format}")
        self._lost += 0 if self._next is None else chunk.start - self._next
        self._next = chunk.start + chunk.frames
        room = chunk.frames if until_s is None else round(until_s * self._format.rate) - self._frames
        pcm = chunk.pcm[: room * self._format.frame_bytes]
        self._frames += self._format.frames(len(pcm))
        self._meter.push(decode(self._mono.push(pcm), 2, 1)[:, 0])
        return pcm

    def heard(self) -> Heard:
        meter = self._meter
        return Heard(
            format=str(self._format),
            seconds=round(self.seconds, 3),
            lost_s=round(self._lost / self._format.rate, 3),
            level_dbfs=round(meter.level_dbfs, 1),
            peak_dbfs=round(meter.peak_dbfs, 1),
            snr_db=round(meter.snr_db, 1),
            clipped=meter.clipped,
        )


class WavFile:
    """A wav file that is written a second at a time."""

    def __init__(self, path: Path, audio_format: AudioFormat) -> None:
        self._path = path
        self._format = audio_format
        self._waiting = bytearray()
        self._bytes = 0
        self._file: BinaryIO | None = None  # None: nothing written yet
        self._wav: wave.Wave_write | None = None  # None: nothing written yet

    def add(self, pcm: bytes) -> bool:
        """Add audio; True: it is time to ``write``.

        :raises AudioError: the file would exceed MAX_FILE_BYTES.
        """
        self._bytes += len(pcm)
        if self._bytes > MAX_FILE_BYTES:
            raise AudioError(f"{self._path}: is full: a wav file holds 4 GiB")
        self._waiting += pcm
        return self._format.seconds(len(self._waiting)) >= WRITTEN_EVERY_S

    def write(self) -> None:
        """Write the kept audio. Blocks.

        :raises AudioError: the file cannot be written.
        """
        try:
            if self._wav is None:
                self._file = self._path.open("wb")
                self._wav = wave.open(self._file, "wb")  # noqa: SIM115  # closed by close()
                self._wav.setframerate(self._format.rate)
                self._wav.setsampwidth(self._format.width)
                self._wav.setnchannels(self._format.channels)
            self._wav.writeframes(self._waiting)
            if self._file is not None:
                self._file.flush()  # reports a full disk now
        except OSError as error:
            self._give_up()
            raise AudioError(f"{self._path}: {error.strerror}") from error
        self._waiting.clear()

    def close(self) -> None:
        """Write the rest and close the file. Blocks.

        :raises AudioError: the file cannot be written.
        """
        if self._waiting:
            self.write()
        try:
            if self._wav is not None:
                self._wav.close()
        except OSError as error:
            raise AudioError(f"{self._path}: {error.strerror}") from error
        finally:
            self._give_up()

    def _give_up(self) -> None:
        """Close open files, ignoring errors."""
        self._waiting.clear()
        for opened in (self._wav, self._file):
            if opened is not None:
                with suppress(OSError):
                    opened.close()
        self._wav = self._file = None


def live_line(heard: Heard) -> str:
    full = -SOFTEST_DBFS // DB_PER_CHARACTER
    level, peak = (
        min(max(round((dbfs - SOFTEST_DBFS) / DB_PER_CHARACTER), 0), full)
        for dbfs in (heard.level_dbfs, heard.peak_dbfs)
    )
    bar = f"{'=' * level:{full}}"
    bar = f"{bar[: max(peak - 1, 0)]}|{bar[max(peak, 1) :]}" if peak else bar
    clipped = f"  clipped {heard.clipped}" if heard.clipped else ""
    lost = f"  lost {heard.lost_s:g} s" if heard.lost_s else ""
    return f"{heard.seconds:7.1f} s  {heard.level_dbfs:6.1f} dBFS  [{bar}]{clipped}{lost}  "


def summary(heard: Heard, path: Path | None) -> str:
    where = f" in {path}" if path else ""
    lost = f", {heard.lost_s:g} s lost" if heard.lost_s else ""
    clipped = f", {heard.clipped} samples clipped" if heard.clipped else ""
    return (
        f"{heard.seconds:g} s of {heard.format}{where}{lost}\n"
        f"level {heard.level_dbfs:g} dBFS, peak {heard.peak_dbfs:g} dBFS, SNR {heard.snr_db:g} dB{clipped}"
    )
