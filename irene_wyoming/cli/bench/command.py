"""The command ``irene-wyoming bench``."""

import argparse

from irene_wyoming.cli.bench import asr, fleet, mic, recall, resample, tuning, wake
from irene_wyoming.errors import ConfigError

KINDS = {"resample": resample, "recall": recall, "wake": wake, "asr": asr, "tuning": tuning, "mic": mic, "fleet": fleet}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", choices=["tuning"], help="the same as WHAT: the targets of the tuning guide")
    tuning.add_arguments(parser)
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT")
    for name, kind in KINDS.items():
        kind.add_arguments(kinds.add_parser(name, help=kind.HELP, description=kind.ABOUT))


def run(args: argparse.Namespace) -> int:
    """Run the chosen measurement; returns its exit code, 0 where all is well.

    :raises ConfigError: no measurement is chosen.
    """
    kind = args.kind or args.suite
    if kind is None:
        raise ConfigError(f"bench: expected what to measure: {', '.join(KINDS)}")
    return int(KINDS[kind].run(args))
