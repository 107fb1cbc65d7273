"""irene-wyoming wake"""

import argparse

from irene_wyoming.cli import server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    server.add_arguments(parser, 10400)


def run(args: argparse.Namespace) -> int:
    from irene_wyoming.app.wake import wake_server

    return server.run(args, "wake", wake_server)
