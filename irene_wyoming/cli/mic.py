"""irene-wyoming mic"""

import argparse

from irene_wyoming.cli import server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    server.add_arguments(parser, 10600)


def run(args: argparse.Namespace) -> int:
    from irene_wyoming.app.mic import mic_server

    return server.run(args, "mic", mic_server)
