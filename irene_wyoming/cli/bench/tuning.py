"""The command ``irene-wyoming bench tuning``."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date

from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.tuning import Target, by_group, measure
from irene_wyoming.cli import common
from irene_wyoming.cli.bench.lines import about_machine
from irene_wyoming.demo.speech import COMMAND, WORD, packaged

HELP = "the targets of docs/performance-tuning.md: latency, throughput, memory, cache"
ABOUT = (
    "Hold this machine against the targets of the tuning guide, with the engines and the speech that are packaged. "
    "Half a minute."
)

ROUNDS, QUICK_ROUNDS = 20, 2

RESULT = {True: "pass", False: "FAIL", None: "?"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="rough figures in some seconds")
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every target is met; 1: one is not."""
    targets = measure(packaged(WORD), packaged(COMMAND), QUICK_ROUNDS if args.quick else ROUNDS)
    if args.json:
        common.print_json({"machine": machine(), "targets": [asdict(target) for target in targets]})
    else:
        print("\n".join(lines(targets)))
    return 1 if any(target.kept is False for target in targets) else 0


def lines(targets: list[Target]) -> Iterator[str]:
    yield f"{about_machine()}; {date.today()}"
    for group, rows in by_group(targets).items():
        yield f"\n{group}"
        for row in rows:
            yield f"  {RESULT[row.kept]}  {row.server:14}  {row.about:46}  {row.value:>9}  {row.limit}"
