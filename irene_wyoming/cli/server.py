"""The commands ``irene-wyoming wake``, ``asr`` and ``mic``: run one server until it is told to stop."""

import argparse
import asyncio
from dataclasses import replace
from importlib import import_module

from irene_wyoming import descriptors
from irene_wyoming.cli import common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--uri",
        type=common.address,
        metavar="URI",
        help="address to listen at: tcp://host:port or unix:///path/of/socket (none: as configured)",
    )
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    from irene_wyoming.app.lifecycle import serve
    from irene_wyoming.supervise import exit_with_parent

    descriptors.ensure()
    name = args.command
    make = getattr(import_module(f"irene_wyoming.app.{name}"), f"{name}_server")
    supervised = exit_with_parent()
    config = common.read_config(args)
    if args.uri:
        config = replace(config, **{name: replace(getattr(config, name), address=args.uri)})
    asyncio.run(serve(config, name, make(config), supervised=supervised))
    return 0
