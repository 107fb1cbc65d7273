"""The command ``irene-wyoming wake-scores``."""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from pathlib import Path

from irene_wyoming.app import scores, source
from irene_wyoming.app.lifecycle import until_stopped
from irene_wyoming.app.scores import Audio, Listener, listening
from irene_wyoming.audio.format import Quality
from irene_wyoming.cli import common, recording
from irene_wyoming.cli.meters import Lines, Meters
from irene_wyoming.config.model import Config
from irene_wyoming.wire.hear import Recording

HIDE, SHOW, CLEAR_LINE = "\x1b[?25l", "\x1b[?25h", "\x1b[2K"

BESIDE_BAR = 40
"""Columns of a line besides its bar, for a word of usual length."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--uri", type=common.address, help="listen to a microphone server: tcp://host:port")
    source.add_argument("--device", metavar="NAME", help="sound input of this machine, see irene-wyoming devices")
    source.add_argument("--file", type=Path, metavar="FILE.wav", help="listen to a recording (none: the microphone)")
    parser.add_argument(
        "--word", action="append", default=[], help="word to show, may be repeated (none: all known words)"
    )
    parser.add_argument("--engine", metavar="NAME", help="the only provider to use (none: those of the server)")
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0, also when it is told to stop: Ctrl-C, SIGTERM."""
    config = common.read_config(args, quiet=True)
    spoken = recording.read(args.file) if args.file else None
    asyncio.run(until_stopped(watch(config, args, spoken)))
    return 0


async def watch(config: Config, args: argparse.Namespace, spoken: Recording | None) -> None:
    terminal = sys.stdout.isatty()
    async with listening(config, args.engine, args.word) as listener:
        await (meters if terminal else plain)(listener, audio(config, args, spoken, realtime=terminal))


def audio(config: Config, args: argparse.Namespace, spoken: Recording | None, *, realtime: bool) -> Audio:
    if args.uri:
        return scores.of_server(args.uri)
    if spoken is not None:
        return scores.of_recording(spoken, realtime=realtime)
    mic = config.mic
    if args.device is not None:
        mic = replace(mic, source=replace(mic.source, kind="auto", device=args.device))
    return scores.of_source(source.source(mic, Quality.MEDIUM))


async def plain(listener: Listener, sound: Audio) -> None:
    lines = Lines()
    async with aclosing(listener.moments(sound)) as moments:
        async for moment in moments:
            for line in lines.update(moment):
                print(line, flush=True)


async def meters(listener: Listener, sound: Audio) -> None:
    view = Meters(listener.thresholds, shutil.get_terminal_size().columns - BESIDE_BAR)
    with drawing(len(listener.thresholds) + 1) as draw:
        async with aclosing(listener.moments(sound)) as moments:
            async for moment in moments:
                view.update(moment)
                draw(view.lines())


@contextmanager
def drawing(count: int) -> "Iterator[Drawing]":
    """Draw a block of lines at the bottom of the terminal again and again; the cursor is hidden meanwhile."""
    print(f"Threshold |, peak '.'; Ctrl-C ends.{HIDE}" + "\n" * count)
    try:
        yield Drawing(count)
    finally:
        print(SHOW, flush=True)


class Drawing:
    def __init__(self, count: int) -> None:
        self._up = f"\x1b[{count}A"

    def __call__(self, lines: list[str]) -> None:
        width = shutil.get_terminal_size().columns
        text = "\n".join(f"{CLEAR_LINE}{line[: width - 1]}" for line in lines)
        print(f"{self._up}{text}", flush=True)
