"""irene-wyoming completion"""

import argparse

SHELLS = ("bash", "zsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="whose completion to print")


def run(args: argparse.Namespace) -> int:
    import shtab

    from irene_wyoming.__main__ import build_parser

    print(shtab.complete(build_parser(None), args.shell))
    return 0
