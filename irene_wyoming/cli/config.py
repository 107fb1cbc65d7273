"""irene-wyoming config"""

import argparse

from irene_wyoming.config.load import default_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # it has none


def run(args: argparse.Namespace) -> int:
    del args
    print(default_text(), end="")
    return 0
