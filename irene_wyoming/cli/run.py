"""irene-wyoming run"""

import argparse
import asyncio

from irene_wyoming.cli import common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    from irene_wyoming.app.run import run as run_all

    config = common.read_config(args)
    return asyncio.run(run_all(config, args.config, debug=args.debug))
