"""irene-wyoming bench asr"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from irene_wyoming.bench.machine import machine
from irene_wyoming.cli import common
from irene_wyoming.errors import AudioError
from irene_wyoming.wire.address import Address

if TYPE_CHECKING:
    from irene_wyoming.bench.asr import AsrRow, Spoken
    from irene_wyoming.bench.serving import Server

HELP = "speech-to-text: errors, delay, memory, several at a time"
ABOUT = (
    "Play recordings to a speech-to-text server at the pace of speech, to every provider by itself and to all "
    "together. It takes as long as the recordings, for each of them."
)

CLIENTS = (1, 2, 4)
MAX_CLIENTS = 64
MAX_TEXT_BYTES = 10_000
"""Of a file with what is said in a recording."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="FILE.wav with what is said in FILE.txt; an empty one: nothing that should be understood",
    )
    parser.add_argument(
        "--provider", action="append", metavar="NAME", help="program to measure, may be repeated (none: all there are)"
    )
    parser.add_argument(
        "--uri", type=common.address, metavar="URI", help="server to measure (none: one of this program's own)"
    )
    parser.add_argument(
        "--clients",
        type=numbers,
        default=CLIENTS,
        metavar="N,...",
        help=f"clients at a time; default: {','.join(map(str, CLIENTS))}",
    )
    parser.add_argument("--fast", action="store_true", help="as fast as the server takes it: for errors, not for delay")
    common.add_json(parser)
    common.add_config(parser)


def numbers(text: str) -> tuple[int, ...]:
    """An argparse type: ``1,2,4``."""
    try:
        values = tuple(int(number) for number in text.split(","))
    except ValueError:
        values = ()
    if not values or not all(0 < value <= MAX_CLIENTS for value in values):
        raise argparse.ArgumentTypeError(f"{text!r}: expected numbers of 1 to {MAX_CLIENTS}, such as 1,2,4")
    return values


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every recording got a transcript; 1: some did not."""
    spoken = recordings(args.folder)
    rows = asyncio.run(measured(args, spoken))
    if args.json:
        common.print_json({"machine": machine(), "rows": [asdict(row) for row in rows]})
    else:
        print("\n".join(table(rows)))
    return 1 if any(row.failed for row in rows) else 0


async def measured(args: argparse.Namespace, spoken: "Sequence[Spoken]") -> "list[AsrRow]":
    from irene_wyoming.bench import asr as bench
    from irene_wyoming.bench.serving import serving

    async def all_rows(address: Address, server: "Server | None") -> "list[AsrRow]":
        names = args.provider or await bench.programs(address)
        return [
            await bench.measure(address, name, spoken, clients, server=server, realtime=not args.fast)
            for name in names
            for clients in args.clients
        ]

    if args.uri:
        return await all_rows(args.uri, None)
    async with serving("asr", config=args.config) as server:
        return await all_rows(server.address, server)


def recordings(folder: Path) -> "list[Spoken]":
    """:raises AudioError: there is none, or one without its text."""
    from irene_wyoming.bench.asr import Spoken
    from irene_wyoming.cli import recording

    found = []
    for path in sorted(folder.glob("*.wav")):
        written = path.with_suffix(".txt")
        try:
            with written.open(encoding="utf-8") as file:
                text = file.read(MAX_TEXT_BYTES).strip()
        except (OSError, ValueError) as error:
            raise AudioError(f"{written}: expected what is said in {path.name}: {error}") from error
        found.append(Spoken(path.stem, recording.read(path), text))
    if not found:
        raise AudioError(f"{folder}: no wav file there; expected files such as lamp.wav and lamp.txt")
    return found


COLUMNS = (
    ("program", "{:16}"),
    ("clients", "{:7d}"),
    ("failed", "{:6d}"),
    ("exact", "{:6.1%}"),
    ("rejected", "{:8.1%}"),
    ("wer", "{:6.1%}"),
    ("after_p50_ms", "{:12.0f}"),
    ("after_p95_ms", "{:12.0f}"),
    ("first_partial_p50_ms", "{:20.0f}"),
    ("rtf", "{:5.3f}"),
    ("memory_mb", "{:9.0f}"),
)


def table(rows: "Sequence[AsrRow]") -> Iterator[str]:
    widths = {name: max(len(name), len(form.format(0 if name != "program" else ""))) for name, form in COLUMNS}
    yield "  ".join(f"{name:>{widths[name]}}" for name, _ in COLUMNS)
    for row in rows:
        figures = {name: getattr(row, name) for name, _ in COLUMNS}
        cells = {name: "-" if figures[name] is None else form.format(figures[name]) for name, form in COLUMNS}
        yield "  ".join(f"{cells[name]:>{widths[name]}}" for name, _ in COLUMNS)
    yield f"{rows[0].recordings} recordings; after: from the end of the audio to its transcript"
