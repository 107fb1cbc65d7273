"""irene-wyoming asr"""

import argparse

from irene_wyoming.cli import server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    server.add_arguments(parser, 10300)


def run(args: argparse.Namespace) -> int:
    from irene_wyoming.app.asr import asr_server

    return server.run(args, "asr", asr_server)
