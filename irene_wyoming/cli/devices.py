"""irene-wyoming devices"""

import argparse
from dataclasses import asdict

from irene_wyoming.capture.portaudio import devices
from irene_wyoming.cli import common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0, also where there is none; 1: they cannot be listed."""
    found = devices()
    if args.json:
        common.print_json([asdict(device) for device in found])
    elif not found:
        print("no sound input; a USB microphone shows up here once it is plugged in")
    for device in () if args.json else found:
        print(f"{'*' if device.default else ' '} {device.index:3d}  {device.name}  [{device.api}]  {device.format}")
    return 0
