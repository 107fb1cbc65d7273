"""The command ``irene-wyoming describe``."""

import argparse
import asyncio
from collections.abc import Iterator

from wyoming.info import Info

from irene_wyoming.app.logs import escaped
from irene_wyoming.cli import common
from irene_wyoming.wire.client import describe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uri", type=common.address, metavar="URI", help="tcp://host:port or unix:///path/of/socket")
    parser.add_argument(
        "--timeout",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="how long to wait for the answer; default: %(default)s",
    )
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    info = asyncio.run(describe(args.uri, args.timeout))
    if args.json:
        common.print_json(info.event().data)
    else:
        print("\n".join(map(escaped, lines(info))))
    return 0


def lines(info: Info) -> Iterator[str]:
    """Format an Info for people: a line per program, an indented one per model."""
    for kind, programs in (("wake", info.wake), ("asr", info.asr)):
        for program in programs:
            yield f"{kind}: {program.name} {program.version or ''}{'' if program.installed else ' (not installed)'}"
            for model in program.models:
                phrase = f', say "{phrase}"' if (phrase := getattr(model, "phrase", None)) else ""
                yield f"    {model.name} [{', '.join(model.languages)}]{phrase}"
    for mic in info.mic:
        form = mic.mic_format
        yield f"mic: {mic.name} {mic.version or ''}, {form.rate} Hz, {form.width * 8} bit, {form.channels} channel(s)"
    if not (info.wake or info.asr or info.mic):
        yield "no wake word, speech-to-text or microphone service"
