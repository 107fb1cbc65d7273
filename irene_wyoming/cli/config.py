"""The command ``irene-wyoming config``."""

import argparse

from irene_wyoming.cli import common
from irene_wyoming.config import changes
from irene_wyoming.config.load import default_text, read_changes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--changes", action="store_true", help="print what was changed at the page instead")
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    if args.changes:
        print(changes.text(read_changes(common.read_config(args, quiet=True))), end="")
    else:
        print(default_text(), end="")
    return 0
