"""The command ``irene-wyoming bench asr``."""

import argparse
import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench import asr, asr_plot, wyoming_bench
from irene_wyoming.bench.asr import Answer, AsrRow, Subject
from irene_wyoming.bench.asr_plot import condition as place
from irene_wyoming.bench.installed import Installed, installed, sherpa_with_guided_model
from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.mixing import Condition
from irene_wyoming.bench.people import Folder
from irene_wyoming.bench.serving import serving
from irene_wyoming.bench.usage import Family, listening
from irene_wyoming.cli import common
from irene_wyoming.cli.bench import people
from irene_wyoming.config.load import load
from irene_wyoming.engines.registry import specs
from irene_wyoming.errors import IreneError
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording, transcribe

Measured = tuple[AsrRow, list[Answer]]


HELP = "speech-to-text: people understood in noise, errors, delay, memory, several at a time"
ABOUT = (
    "Play recordings of people to a speech-to-text server: first as fast as it takes them, as recorded and under each "
    "condition, then at the pace of speech with 0.7 s of silence behind and cut off after the last word, for the delay."
)

CLIENTS = (1, 2, 4)
MAX_CLIENTS = 64
TAILS_S = (0.7, None)
"""Silence behind the speech, s, where the delay is measured; None: the audio is cut after the last word."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
PATIENCE_S = 60
"""Seconds that an engine of our own server gets to answer."""


@dataclass(frozen=True, slots=True)
class Played:
    """The recordings and conditions that every server gets."""

    folders: Sequence[Folder]
    conditions: Sequence[Condition]
    clients: Sequence[int]
    """Numbers of clients at the pace of speech, one after the other; empty: none at that pace."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="FILE.wav with what is said in FILE.txt (an empty one: nothing that should be understood); or labels.json "
        "and slots.json, with sentence.txt, a template that the server is then told",
    )
    people.add_arguments(parser)
    parser.add_argument(
        "--level",
        type=people.DECIBELS,
        default=(),
        metavar="DBFS,...",
        help="also with speech at these levels; write --level=-50,-10 (none: as recorded)",
    )
    parser.add_argument(
        "--provider",
        action="append",
        default=[],
        metavar="NAME",
        help="program to measure; may be repeated (none: all)",
    )
    parser.add_argument(
        "--every",
        action="store_true",
        help="all installed engines with each of their models, one after the other, each in a server of its own",
    )
    parser.add_argument(
        "--uri", type=common.address, metavar="URI", help="server to measure (none: one of this program's own)"
    )
    parser.add_argument(
        "--peer",
        type=common.address,
        action="append",
        default=[],
        metavar="URI",
        help="another Wyoming server to compare with; may be repeated",
    )
    parser.add_argument("--sherpa", action="store_true", help="also sherpa-onnx with the model of guided, if installed")
    parser.add_argument(
        "--clients",
        type=common.several(lambda text: int(common.number(1, MAX_CLIENTS)(text))),
        default=CLIENTS,
        metavar="N,...",
        help=f"clients at a time, at the pace of speech; default: {','.join(map(str, CLIENTS))}",
    )
    parser.add_argument(
        "--fast", action="store_true", help="measure errors and no delay: nothing at the pace of speech"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="draw what is understood in which noise")
    parser.add_argument(
        "--wyoming-bench", action="store_true", help="print the report of PyPI wyoming-bench, if installed"
    )
    common.add_json(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every recording got a transcript; 1: some did not."""
    if args.plot:
        common.require_plot(args.plot)
    if args.wyoming_bench:
        wyoming_bench.require()
    folders = people.folders(args, args.folder)
    played = Played(folders, people.conditions(args, args.level), () if args.fast else args.clients)
    results = asyncio.run(measured(args, played, told(folders)))
    rows = [row for row, _ in results]
    if args.wyoming_bench:
        print(wyoming_bench.report(named(results)))
    elif args.json:
        common.print_json({"machine": machine(), "rows": [asdict(row) for row in rows]})
    else:
        print("\n".join(table(rows)))
    if args.plot:
        asr_plot.write(rows, args.plot)
    return 1 if any(row.failed for row in rows) else 0


async def measured(args: argparse.Namespace, played: Played, settings: Mapping[str, object]) -> list[Measured]:
    """Measure every program of every server, under every condition.

    :param settings: settings of our own server.
    """
    results = []
    if args.every:
        results += await of_every_engine(args, played, settings)
    elif args.uri:
        process = await on_this_machine(args.uri)
        results += await of_server(played, args.uri.uri, args.uri, process, args.provider)
    else:
        async with serving("asr", settings, config=args.config) as server:
            results += await of_server(played, asr.OWN, server.address, server.family, args.provider)
    for peer in args.peer:
        results += await of_server(played, peer.uri, peer, await on_this_machine(peer))
    if args.sherpa:
        results += await of_engine(args, played, settings, await asyncio.to_thread(sherpa_with_guided_model))
    return results


async def of_every_engine(args: argparse.Namespace, played: Played, settings: Mapping[str, object]) -> list[Measured]:
    """Measure each engine with each of its models."""
    config = await asyncio.to_thread(load, args.config, os.environ)
    every = await asyncio.to_thread(lambda: list(installed(config)))
    return [result for one in every for result in await of_engine(args, played, settings, one)]


async def of_engine(
    args: argparse.Namespace, played: Played, settings: Mapping[str, object], one: Installed
) -> list[Measured]:
    """Measure one engine in a server of its own. Its model is loaded before anything counts."""
    first = Recording(SPEECH, played.folders[0].spoken[0].pcm)
    async with serving("asr", one.settings(settings), config=args.config) as server:
        with suppress(IreneError):  # the same error comes again, and is reported then
            await transcribe(server.address, first)
        found = await of_server(played, asr.OWN, server.address, server.family, [one.engine])
    return [(replace(row, program=one.name), answers) for row, answers in found]


async def on_this_machine(address: Address) -> Family | None:
    """The process of a server at a loopback address, whose CPU time and memory can be read."""
    return await asyncio.to_thread(listening, address.port) if address.host in LOOPBACK else None


def told(folders: Sequence[Folder]) -> dict[str, object]:
    """Settings of our own server: engines that take sentences get those of all folders, and no audio is cut.

    A minute of reading, sent as fast as possible, is more than a household sends.
    """
    sentences = [sentence for folder in folders for sentence in folder.sentences]
    takers = [name for name, spec in specs("asr").items() if "sentences" in spec.options and sentences]
    patient: dict[str, object] = {f"providers__{name}__deadline_s": PATIENCE_S for name in specs("asr")}
    return {**patient, **{f"providers__{name}__sentences": json.dumps(sentences) for name in takers}}


async def of_server(
    played: Played, listener: str, address: Address, process: Family | None, names: Sequence[str] = ()
) -> list[Measured]:
    """Measure the named programs of one server, or all."""
    return [
        await asr.measure(address, subject, folder, process=process)
        for name in names or await asr.programs(address)
        for folder in played.folders
        for subject in subjects(played, listener, name, folder)
    ]


def subjects(played: Played, listener: str, program: str, folder: Folder) -> Iterator[Subject]:
    """The subjects to measure with one folder: errors under every condition, then the delay."""
    for condition in played.conditions:
        yield Subject(listener, program, folder.name, condition)
    if any(spoken.command for spoken in folder.spoken):
        for clients in played.clients:
            for tail_s in TAILS_S:
                yield Subject(listener, program, folder.name, Condition(tail_s=tail_s), clients, realtime=True)


def named(results: Sequence[Measured]) -> dict[str, list[Answer]]:
    """Answers by program and condition, without those at the pace of speech, which wyoming-bench does not have."""
    found: dict[str, list[Answer]] = {}
    for row, answers in results:
        if not row.realtime:
            found.setdefault(f"{row.listener}/{row.program}, {place(row)}", []).extend(answers)
    return found


ERRORS = {
    "listener": "{:8}",
    "program": "{:14}",
    "folder": "{:10}",
    "noise": "{:8}",
    "snr_db": "{:.0f}",
    "level_dbfs": "{:.0f}",
    "recordings": "{}",
    "failed": "{}",
    "exact": "{:.1%}",
    "slots": "{:.1%}",
    "accepted": "{:.1%}",
    "wrong": "{:.1%}",
    "rejected": "{:.1%}",
    "wer": "{:.1%}",
    "rtf": "{:.3f}",
    "memory_mb": "{:.0f}",
    "proportional_mb": "{:.0f}",
}
DELAYS = {
    **{name: ERRORS[name] for name in ("listener", "program", "folder")},
    "clients": "{}",
    "tail_s": "{:.1f}",
    **{name: ERRORS[name] for name in ("recordings", "failed", "exact")},
    **dict.fromkeys(("after_p50_ms", "after_p95_ms", "first_partial_p50_ms"), "{:.0f}"),
    "rtf": "{:.3f}",
}


def table(rows: Sequence[AsrRow]) -> Iterator[str]:
    """Format the tables of errors, kinds of wrong commands, and delays."""
    yield from columns([row for row in rows if not row.realtime], ERRORS)
    for reason in dict.fromkeys(row.failure for row in rows if row.failure):
        yield f"failed: {reason}"
    for row in rows:
        if row.wrong_kinds and not row.realtime:
            kinds = ", ".join(f"{count} {kind}" for kind, count in row.wrong_kinds.items())
            snr = "" if row.snr_db is None else f" {row.snr_db:g} dB"
            yield f"taken for another: {row.listener} {row.program}, {row.folder}, {row.noise}{snr}: {kinds}"
    timed = [row for row in rows if row.realtime]
    if timed:
        yield "\nat the pace of speech; after: end of audio to transcript; no tail: cut off after the last word; "
        yield "first partial: first sound of speech to first words"
        yield from columns(timed, DELAYS)


def columns(rows: Sequence[AsrRow], forms: dict[str, str]) -> Iterator[str]:
    values = [{name: getattr(row, name) for name in forms} for row in rows]
    cells = [{name: "-" if row[name] is None else forms[name].format(row[name]) for name in forms} for row in values]
    widths = {name: max(len(name), *(len(row[name]) for row in cells)) for name in forms}
    yield "  ".join(f"{name:>{width}}" for name, width in widths.items())
    for row in cells:
        yield "  ".join(f"{row[name]:>{width}}" for name, width in widths.items())
