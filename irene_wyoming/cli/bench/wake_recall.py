"""The command ``irene-wyoming bench wake --recall FOLDER``."""

import argparse
import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.mixing import Condition
from irene_wyoming.bench.people import Folder
from irene_wyoming.bench.serving import serving
from irene_wyoming.bench.wake_recall import FalseRow, Listener, RecallRow, false_accepts, known, recall
from irene_wyoming.cli import common
from irene_wyoming.cli.bench import people
from irene_wyoming.cli.bench.lines import about_machine
from irene_wyoming.config.load import load
from irene_wyoming.errors import AudioError

Found = tuple[list[RecallRow], list[FalseRow]]


@dataclass(frozen=True, slots=True)
class Asked:
    """The folders, conditions and programs to measure."""

    args: argparse.Namespace
    folders: Mapping[str, Folder]
    """Recordings by word."""
    others: Sequence[Folder]
    conditions: Sequence[Condition]
    stages: Mapping[str, Mapping[str, object]]
    """A server's settings, by stage."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("recordings of people", "instead of all the above: how many words are heard")
    group.add_argument(
        "--recall",
        action="append",
        default=[],
        metavar="FOLDER|WORD=FOLDER",
        help="recordings of one word each; the word is the folder's name; may be repeated",
    )
    group.add_argument(
        "--realtime", action="store_true", help="send at the pace of speech: slower, with the same results"
    )
    group.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="draw recall and false accepts")
    people.add_arguments(group)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: measured."""
    if args.plot:
        common.require_plot(args.plot)
    folders = words_of(args)
    others = people.folders(args, [])
    asked = Asked(args, folders, others, people.conditions(args), stages(args))
    rows, false = asyncio.run(measured(asked))
    if args.json:
        recall = [{**asdict(row), "recall": row.recall} for row in rows]
        accepts = [{**asdict(row), "per_hour": row.per_hour} for row in false]
        common.print_json({"machine": machine(), "recall": recall, "false_accepts": accepts})
    else:
        print("\n".join(lines(rows, false)))
    if args.plot:
        from irene_wyoming.bench import wake_plot

        wake_plot.write(rows, false, args.plot)
    return 0


def words_of(args: argparse.Namespace) -> dict[str, Folder]:
    """Read the folders, by their words.

    :raises AudioError: a folder cannot be read, or two have the same word.
    """
    found: dict[str, Folder] = {}
    for text in args.recall:
        word, _, path = text.rpartition("=")
        (folder,) = people.folders(argparse.Namespace(**{**vars(args), "other": [Path(path)]}), [])
        word = word or folder.name
        if word in found:
            raise AudioError(f"--recall {text}: there is a folder of {word} already")
        found[word] = folder
    return found


def stages(args: argparse.Namespace) -> Mapping[str, Mapping[str, object]]:
    """A server's settings by stage: the engines alone, and the configured second look, if there is one."""
    verify = getattr(load(args.config, {}).wake, "verify", None)
    first: dict[str, Mapping[str, object]] = {"engines": {} if verify is None else {"verify": "off"}}
    return first if verify in (None, "off") else {**first, "verified": {}}


async def measured(asked: Asked) -> Found:
    """Measure every stage in a server of its own, with every wanted program."""
    rows, false = [], []
    for stage, settings in asked.stages.items():
        async with serving("wake", settings, config=asked.args.config) as server:
            await known(server.address, list(asked.folders))
            listener = Listener(server.address, stage, None, tuple(asked.folders), asked.args.realtime)
            for program in asked.args.engine or [None]:
                found = await of_program(replace(listener, program=program), asked)
                rows += found[0]
                false += found[1]
    return rows, false


async def of_program(listener: Listener, asked: Asked) -> Found:
    rows = [
        await recall(listener, word, folder, condition)
        for word, folder in asked.folders.items()
        for condition in asked.conditions
    ]
    return rows, [await false_accepts(listener, folder) for folder in asked.others]


def lines(rows: Sequence[RecallRow], false: Sequence[FalseRow]) -> Iterator[str]:
    yield about_machine()
    yield f"{'stage':10} {'program':16} {'word':16} {'noise':12} {'SNR':>4} {'heard':>12}"
    for row in rows:
        snr = "-" if row.snr_db is None else f"{row.snr_db:g}"
        heard = f"{row.heard} of {row.recordings}"
        others = f"  other words: {', '.join(row.others)}" if row.others else ""
        yield (
            f"{row.stage:10} {row.program:16} {row.word:16} {row.noise:12} {snr:>4} {heard:>12} "
            f"{row.recall:6.1%}{others}"
        )
    if false:
        yield f"\n{'stage':10} {'program':16} {'nobody says it':16} {'minutes':>8} {'false':>6} {'per hour':>9}"
    for one in false:
        named = f"  {', '.join(one.accepts)}" if one.accepts else ""
        yield (
            f"{one.stage:10} {one.program:16} {one.folder:16} {60 * one.hours:8.1f} {len(one.accepts):6} "
            f"{one.per_hour:9.2f}{named}"
        )
