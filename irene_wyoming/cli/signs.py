"""The sign before a line of ``check`` and ``doctor``: how it is, coloured on a terminal."""

import logging
import os
import sys

from irene_wyoming.app.findings import Level
from irene_wyoming.app.logs import COLOURS, GOOD, PLAIN, coloured

SIGNS = {Level.OK: "ok     ", Level.WARNING: "warning", Level.ERROR: "ERROR  "}

SIGN_COLOURS = {Level.OK: GOOD, Level.WARNING: COLOURS[logging.WARNING], Level.ERROR: COLOURS[logging.ERROR]}


def sign(level: Level) -> str:
    """The sign for a level, on standard output."""
    if not coloured(sys.stdout, os.environ):
        return SIGNS[level]
    return f"{SIGN_COLOURS[level]}{SIGNS[level]}{PLAIN}"
