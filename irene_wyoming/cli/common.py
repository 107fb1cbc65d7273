"""Code that several commands share: the configuration, the log, addresses, JSON."""

import argparse
import json
import logging
import math
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from irene_wyoming.app.logs import start_log
from irene_wyoming.config.load import load
from irene_wyoming.config.model import Config
from irene_wyoming.errors import AudioError, ConfigError
from irene_wyoming.wire.address import Address

log = logging.getLogger(__name__)

TOKEN_VARIABLE = "IRENE_WYOMING_TOKEN"
"""Environment variable with the token for servers of this project. Arguments can be read by every user of the machine.
"""

T = TypeVar("T")

PLOTS = (".png", ".svg")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that reads the configuration."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="YAML laid over the default configuration, or an add-on's options.json (none: the defaults)",
    )
    parser.add_argument("--debug", action="store_true", help="log everything, whatever the log_level")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for scripts instead of text")


def add_progress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--progress", action="store_true", help="print progress to standard error")


def tell_progress(args: argparse.Namespace, line: str) -> None:
    """Print a line of progress where the user has asked for it."""
    if args.progress:
        print(line, file=sys.stderr, flush=True)


def number(least: float, most: float = math.inf) -> Callable[[str], float]:
    """Make an argparse type for numbers from ``least`` to ``most``."""

    def read(text: str) -> float:
        try:
            if least <= (value := float(text)) <= most and value < math.inf:
                return value
        except ValueError:
            pass
        wanted = f"{least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number, {wanted}")

    return read


def several(one: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Make an argparse type for values with commas between them."""
    return lambda text: tuple(one(part) for part in text.split(","))


def address(text: str) -> Address:
    """An argparse type for addresses: ``tcp://host:port`` or ``unix:///path``."""
    try:
        return replace(Address.parse(text), token=os.environ.get(TOKEN_VARIABLE, ""))
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def read_config(args: argparse.Namespace, *, quiet: bool = False) -> Config:
    """Read the configuration that the arguments name, and start the log.

    :param quiet: log warnings only, where the command's own output is what counts.
    :raises ConfigError: the configuration is wrong.
    """
    config = load(args.config, os.environ)
    if args.debug:
        config = replace(config, log_level="debug")
    elif quiet:
        config = replace(config, log_level="warning")
    start_log(config)
    for warning in config.warnings:
        log.warning("%s", warning)
    return config


def require_plot(path: Path) -> None:
    """Raise AudioError where a plot cannot be written, before minutes of measuring."""
    if path.suffix not in PLOTS:
        raise AudioError(f"{path}: a plot is written as {' or '.join(PLOTS)}")
    if not path.parent.is_dir():
        raise AudioError(f"{path}: there is no folder {path.parent}")
    if find_spec("matplotlib") is None:
        raise AudioError("a plot needs matplotlib, which is not installed: pip install 'irene-wyoming[bench]'")


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
