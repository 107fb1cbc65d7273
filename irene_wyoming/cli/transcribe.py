"""The command ``irene-wyoming transcribe``."""

import argparse
import asyncio
from dataclasses import asdict

from irene_wyoming.app.logs import escaped
from irene_wyoming.cli import common, recording
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import HeardText, transcribe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    recording.add_arguments(parser)
    parser.add_argument("--language", metavar="TAG", help="language spoken, e.g. en (none: the server's default)")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: something was understood; 1: nothing."""
    heard = asyncio.run(hear(args))
    if args.json:
        common.print_json(asdict(heard))
    else:
        print(escaped(heard.text) or "nothing was understood")
    return 0 if heard.text else 1


async def hear(args: argparse.Namespace) -> HeardText:
    from irene_wyoming.app.asr import asr_server

    speech = recording.read(args.file)
    async with recording.listening(args, "asr", asr_server) as address:
        if not (await describe(address)).asr:
            raise ServerUnavailable(f"{address.uri} has no speech-to-text")
        return await transcribe(address, speech, args.language, realtime=args.realtime)
