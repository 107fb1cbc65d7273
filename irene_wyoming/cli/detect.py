"""The command ``irene-wyoming detect``."""

import argparse
import asyncio
from dataclasses import asdict

from irene_wyoming.app.logs import escaped
from irene_wyoming.cli import common, recording
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import HeardWord, Missed, detect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    recording.add_arguments(parser)
    parser.add_argument(
        "--name", action="append", metavar="WORD", help="word to listen for, may be repeated (none: all known words)"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code 0: something was heard; 1: nothing."""
    words, closest = asyncio.run(hear(args))
    if args.json:
        common.print_json([asdict(word) for word in words])
    else:
        print("\n".join(escaped(line(word)) for word in words) or escaped(nothing(closest)))
    return 0 if words else 1


async def hear(args: argparse.Namespace) -> tuple[list[HeardWord], Missed | None]:
    from irene_wyoming.app.wake import wake_server

    speech = recording.read(args.file)
    async with recording.listening(args, "wake", wake_server) as address:
        names = args.name or await known(address)
        return await detect(address, speech, names, realtime=args.realtime, peak=True)


async def known(address: Address) -> list[str]:
    """All words that a plain client can ask for.

    :raises ServerUnavailable: there is no wake word server at that address.
    """
    info = await describe(address)
    if not info.wake:
        raise ServerUnavailable(f"{address.uri} has no wake words")
    return [model.name for model in info.wake[0].models]


def line(word: HeardWord) -> str:
    where = "" if word.timestamp_ms is None else f" at {word.timestamp_ms / 1000:.2f} s"
    if word.threshold is not None and word.peak is not None:
        score = f" (reached {word.threshold:.2f}, peak {word.peak:.2f})"
    else:
        score = "" if word.score is None else f", score {word.score:.2f}"
    return f"{word.name}{where}{score}"


def nothing(closest: Missed | None) -> str:
    if closest is None:
        return "no wake word heard"
    near = f"{closest.name}, score {closest.score:.2f} at {closest.timestamp_ms / 1000:.2f} s"
    return f"no wake word heard; closest was {near}"
