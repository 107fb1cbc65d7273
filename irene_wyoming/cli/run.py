"""irene-wyoming run"""

import argparse
import asyncio

from irene_wyoming.app.shared_metrics import SharedFigures, shared_figures
from irene_wyoming.cli import common
from irene_wyoming.config.model import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    config = common.read_config(args)
    if not config.metrics.enabled:
        return run_all(config, args, None)
    with shared_figures(["front", "wake", "asr", "mic"]) as figures:
        return run_all(config, args, figures)


def run_all(config: Config, args: argparse.Namespace, figures: SharedFigures | None) -> int:
    # Imported here only: whether figures are shared must be settled before anything that counts is imported.
    from irene_wyoming.app.run import run

    return asyncio.run(run(config, args.config, debug=args.debug, figures=figures))
