"""The command ``irene-wyoming bench wake``."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench import wake
from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.rows import MemoryRow, SpeedRow, Spread, StartRow, WakeRow
from irene_wyoming.cli import common, recording
from irene_wyoming.cli.bench import wake_recall
from irene_wyoming.demo.speech import WORD, packaged
from irene_wyoming.engines.registry import missing, specs
from irene_wyoming.errors import AudioError
from irene_wyoming.household.satellites import Track
from irene_wyoming.wire.address import Address

Rows = list[WakeRow | SpeedRow | StartRow | MemoryRow]


HELP = "the wake server beside the bare engine: CPU, delay, start, memory; --recall: people's words that are heard"
ABOUT = (
    "Start a wake server, play a word to it as many satellites would, and measure what that costs beside the engine by "
    "itself. A minute or two per engine; leave the machine alone. Linux only."
)

MIN_SECONDS = 4
"""Least seconds of a live run, and from one word to the next."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine", action="append", metavar="NAME", help="engine to measure, may be repeated (none: all installed)"
    )
    parser.add_argument("--streams", type=int, default=8, metavar="N", help="satellites at once; default: %(default)s")
    parser.add_argument(
        "--seconds", type=int, default=20, help=f"length of each live run, {MIN_SECONDS} or more; default: %(default)s"
    )
    parser.add_argument(
        "--every",
        type=int,
        default=MIN_SECONDS,
        metavar="S",
        help="seconds from one word to the next, in a quiet room; default: %(default)s",
    )
    parser.add_argument(
        "--chunk-ms", type=int, default=20, metavar="MS", help="length of the satellites' chunks; default: %(default)s"
    )
    parser.add_argument(
        "--connects",
        type=int,
        default=1_000,
        metavar="N",
        help="number of conversations to measure growth of memory; default: %(default)s",
    )
    parser.add_argument(
        "--speakers",
        type=int,
        default=0,
        metavar="N",
        help="people who speak to a speech-to-text server meanwhile, in a further live run (none)",
    )
    parser.add_argument(
        "--word",
        type=Path,
        metavar="WORD_VOICE.wav",
        help="recording of a word, 16 kHz 16 bit mono (none: the packaged one)",
    )
    parser.add_argument("--peer", type=common.address, metavar="URI", help="also measure another running server")
    common.add_json(parser)
    wake_recall.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: measured."""
    if not sys.platform.startswith("linux"):
        raise AudioError("bench wake reads another process's CPU time as only Linux tells it")
    if args.recall:
        return wake_recall.run(args)
    if args.streams < 1 or args.seconds < MIN_SECONDS or not 1 <= args.chunk_ms <= 1_000 or args.connects < 10:
        raise AudioError(f"expected --streams 1+, --seconds {MIN_SECONDS}+, --chunk-ms 1 to 1000, --connects 10+")
    if args.speakers < 0:
        raise AudioError("expected --speakers 0 or more")
    if not MIN_SECONDS <= args.every <= args.seconds:
        raise AudioError(f"expected --every from {MIN_SECONDS} to the --seconds of a live run")
    spoken = track(args.word, args.every)
    engines = args.engine or [name for name, engine in specs("wake").items() if not missing(engine)]
    if not args.json:
        print("\n".join(f"{key}: {value}" for key, value in machine().items()))
        print(
            f"word: {spoken.word}, every {args.every} s; live runs of {args.seconds} s, chunks of {args.chunk_ms} ms\n"
        )
    rows: Rows = []
    for row in measured(engines, spoken, args):
        rows.append(row)
        if not args.json:
            print("\n".join(lines(row)), flush=True)
    if args.json:
        named = [{"row": type(row).__name__, **asdict(row)} for row in rows]
        common.print_json({"machine": machine(), "rows": named})
    return 0


def track(path: Path | None, every_s: int) -> Track:
    """Make the satellites' audio; raises AudioError where the file cannot be read or has another format."""
    if path is None:
        return Track.of(WORD, packaged(WORD).pcm, every_s)
    sound = recording.read(path)
    if sound.format != SPEECH:
        raise AudioError(f"{path}: {sound.format}; expected {SPEECH}")
    return Track.of(path.stem.rpartition("_")[0] or path.stem, sound.pcm, every_s)


def measured(
    engines: Sequence[str], track: Track, args: argparse.Namespace
) -> Iterator[WakeRow | SpeedRow | StartRow | MemoryRow]:
    """Measure and give row by row."""
    pace = (args.seconds, args.chunk_ms)
    for engine in engines:
        yield wake.bare(engine, track, *pace)
        for count in dict.fromkeys((1, args.streams)):
            yield asyncio.run(wake.of_server(engine, track, count, *pace))
        yield asyncio.run(wake.of_server(engine, track, args.streams, *pace, looking=True))
        if args.speakers:
            yield asyncio.run(wake.beside_speakers(engine, track, args.streams, *pace, args.speakers))
        yield asyncio.run(wake.speed(engine, track, args.streams, min(args.seconds, 5), args.chunk_ms))
        yield asyncio.run(wake.start(engine, track))
        yield asyncio.run(wake.memory(engine, track, args.streams, args.connects))
    if args.peer is not None:
        peer: Address = args.peer
        for count in dict.fromkeys((1, args.streams)):
            yield asyncio.run(wake.at(peer, peer.uri, None, track, count, *pace))


def lines(row: WakeRow | SpeedRow | StartRow | MemoryRow) -> Iterator[str]:
    if isinstance(row, SpeedRow):
        yield (
            f"{row.engine}, {row.satellites} at full speed: {row.server_ms_per_s:.2f} ms of CPU per second of audio "
            f"(RTF {row.server_ms_per_s / 1_000:.4f}), bare {row.bare_ms_per_s:.2f}: {row.of_bare:.2f} of its "
            f"throughput, {row.per_core:.0f} satellites per core"
        )
    elif isinstance(row, StartRow):
        yield (
            f"{row.engine}, start: audio-start and first step {row.first_ms:.2f} ms of CPU, a step {row.steady_ms:.2f} "
            f"({row.first_ms / row.steady_ms:.1f} x); connect {row.connect_ms:.2f}, describe {row.describe_ms:.2f}"
        )
    elif isinstance(row, MemoryRow):
        yield (
            f"{row.engine} alone, memory: {row.started_pss_mb:.1f} MB PSS ({row.started_mb:.1f} RSS) started, "
            f"{row.listening_pss_mb:.1f} ({row.listening_mb:.1f}) with {row.satellites} satellites, "
            f"{row.growth_mb:+.1f} after {row.connects} conversations"
        )
    else:
        yield from live_lines(row)


def live_lines(row: WakeRow) -> Iterator[str]:
    cpu = "" if row.cpu_ms_per_s is None else f"{row.cpu_ms_per_s:.1f} ms of CPU per second of audio, "
    memory = "" if row.resident_mb is None else f", {row.resident_mb:.1f} MB"
    yield (
        f"{row.engine}, {row.satellites} live, {row.listener}: {cpu}{row.heard} of {row.spoken} words, "
        f"{row.false} wrong{memory}"
    )
    yield f"  end of word to Detection: {spread(row.delay)}"
    if row.describe is not None:
        yield f"  describe meanwhile: {spread(row.describe)}"


def spread(times: Spread) -> str:
    if times.p50_ms is None:
        return "-"
    return f"p50 {times.p50_ms:.0f}, p95 {times.p95_ms:.0f}, p99 {times.p99_ms:.0f} ms"
