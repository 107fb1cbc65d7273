"""The command ``irene-wyoming bench mic``."""

import argparse
import asyncio

from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.mic import FULL, QUICK, gates
from irene_wyoming.bench.rows import Gate
from irene_wyoming.cli import common
from irene_wyoming.cli.bench.lines import about_machine, gate_lines, plain

HELP = "the microphone server: delay, 100 listeners, bad ones, an hour of audio, what it leaves behind"
ABOUT = "Measure a real microphone server against the promises of this project. About two minutes; Linux."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="rough figures in half a minute, with 10 listeners")
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every promise is kept; 1: one is not."""

    async def measure() -> list[Gate]:
        judged = []
        async for gate in gates(QUICK if args.quick else FULL):
            judged.append(gate)
            if not args.json:
                print(*gate_lines([gate]), flush=True)
        return judged

    if not args.json:
        print(about_machine())
    judged = asyncio.run(measure())
    if args.json:
        common.print_json({"machine": machine(), "gates": plain(judged)})
    return 1 if any(gate.kept is False for gate in judged) else 0
