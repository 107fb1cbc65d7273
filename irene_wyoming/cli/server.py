"""What the commands wake, asr and mic have in common: one server, until it is told to stop."""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from irene_wyoming import descriptors
from irene_wyoming.cli import common
from irene_wyoming.config.model import Config
from irene_wyoming.servers.service import Service


def add_arguments(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument(
        "--uri",
        type=common.address,
        metavar="URI",
        help=f"where to listen: tcp://host:port or unix:///path/of/socket (none: tcp://0.0.0.0:{port}, or what the "
        "configuration says)",
    )
    common.add_config(parser)


def run(args: argparse.Namespace, name: str, make: Callable[[Config], AbstractAsyncContextManager[Service]]) -> int:
    from irene_wyoming.app.lifecycle import serve
    from irene_wyoming.supervise import exit_with_parent

    descriptors.ensure()
    supervised = exit_with_parent()
    config = common.read_config(args)
    if args.uri:
        config = replace(config, **{name: replace(getattr(config, name), address=args.uri)})
    asyncio.run(serve(config, name, make(config), supervised=supervised))
    return 0
