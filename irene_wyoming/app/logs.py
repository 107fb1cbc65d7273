"""The log: lines for people or JSON for collectors, from which nothing that a peer sent can escape."""

import encodings.unicode_escape  # noqa: F401  # is found now: later, when no file can be opened, it could not be
import errno
import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from irene_wyoming import trace
from irene_wyoming.app.flood import GuardedHandler, Repeats
from irene_wyoming.app.outlet import outlet
from irene_wyoming.checks import discreet
from irene_wyoming.config.addon import told
from irene_wyoming.config.model import Config

COLOURS = {logging.WARNING: "\x1b[33m", logging.ERROR: "\x1b[31m", logging.CRITICAL: "\x1b[1;31m"}
"""Yellow, red, and bold red; what is no warning has the terminal's own colour."""

GOOD, FAINT, PLAIN = "\x1b[32m", "\x1b[2m", "\x1b[0m"

# Controls, among them what moves a terminal's cursor, and what turns or hides text (Unicode's line and paragraph
# separators, marks of direction, and the byte order mark).
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def start_log(config: Config) -> None:
    """Log to standard error as the configuration wants it."""
    handler = GuardedHandler(outlet(sys.stderr), Repeats())
    colours = coloured(sys.stderr, os.environ)
    text = TextFormatter(colours=colours, traced=config.log_level == "debug")
    handler.setFormatter(JsonFormatter() if config.log_format == "json" else text)
    handler.addFilter(OutOfFiles())
    handler.addFilter(Told(household=config.household))
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler], force=True)


def coloured(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a stream shows colours: it is a terminal, and nobody has said otherwise (https://no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def escaped(text: str) -> str:
    r"""Text in which controls and surrogates are written as \x1b or \u202e, so that a line stays one line."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class TextFormatter(logging.Formatter):
    """One line for each record; below it a traceback, if the program has a bug."""

    def __init__(self, *, colours: bool = False, traced: bool = False) -> None:
        """:param colours: of a terminal.
        :param traced: lines end in the id of their conversation.
        """
        self._colours = colours
        self._traced = traced
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        record.message = escaped(record.message)
        if self._traced and (id_ := trace.current()):
            record.message += f" [{id_}]"
        if not self._colours:
            return super().formatMessage(record)
        colour = COLOURS.get(record.levelno, "")
        return f"{FAINT}{record.asctime}{PLAIN} {colour}{record.levelname:7} {record.message}{PLAIN if colour else ''}"


class JsonFormatter(logging.Formatter):
    """One JSON object in a line: time, level, logger, message, and where there are such, trace and exception."""

    def format(self, record: logging.LogRecord) -> str:
        written = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if id_ := trace.current():
            written["trace"] = id_
        if record.exc_info:
            written["exception"] = self.formatException(record.exc_info)
        return json.dumps(written)


class OutOfFiles(logging.Filter):
    """Says in a line that no file can be opened, where asyncio tells it in a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            record.msg, record.args, record.exc_info = (
                "%s: %s",
                (record.getMessage().split("\n")[0], error.strerror),
                None,
            )
        return True


class Told(logging.Filter):
    """Keeps passwords in addresses out of the log, and calls settings by the names of a household's options."""

    def __init__(self, *, household: bool) -> None:
        super().__init__()
        self._household = household

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        safe = discreet(text)
        if self._household:
            safe = told(safe)
        if safe != text:
            record.msg, record.args = safe, None
        return True
