"""The command ``irene-wyoming run``."""

import argparse
import asyncio

from irene_wyoming import descriptors
from irene_wyoming.app.shared_metrics import shared_figures
from irene_wyoming.cli import common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    descriptors.ensure()
    # This comes first: the metrics' mode must be set before modules that count are imported, and reading the
    # configuration imports the engines' descriptions.
    with shared_figures(["front", "wake", "asr", "mic"]) as figures:
        config = common.read_config(args)
        from irene_wyoming.app.run import run as run_all
        from irene_wyoming.app.run import socket_folder

        with socket_folder() as folder:
            return asyncio.run(run_all(config, args.config, debug=args.debug, figures=figures, folder=folder))
