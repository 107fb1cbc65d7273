"""The command ``irene-wyoming completion``."""

import argparse

SHELLS = ("bash", "zsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(args: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(args.build_parser(None), args.shell))
    return 0
