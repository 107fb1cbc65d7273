"""The log: lines for people or JSON for collectors. Text from peers cannot forge lines or control terminals."""

import encodings.unicode_escape  # noqa: F401  # load it now: later there may be no free file
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
"""Terminal colours: yellow, red, bold red; records below warnings have none."""

GOOD, FAINT, PLAIN = "\x1b[32m", "\x1b[2m", "\x1b[0m"

# Control characters, including those that move a terminal's cursor, and characters that turn or hide text (Unicode's
# line and paragraph separators, marks of direction, and the byte order mark).
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def start_log(config: Config) -> None:
    """Start the log on standard error, as configured."""
    handler = GuardedHandler(outlet(sys.stderr), Repeats())
    colours = coloured(sys.stderr, os.environ)
    text = TextFormatter(colours=colours, traced=config.log_level == "debug")
    handler.setFormatter(JsonFormatter() if config.log_format == "json" else text)
    handler.addFilter(OutOfFiles())
    handler.addFilter(Told(household=config.household))
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler], force=True)


def coloured(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a stream shows colours: it is a terminal, and no variable forbids them (https://no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def escaped(text: str) -> str:
    r"""Write controls and surrogates as \x1b or \u202e, so that a line stays one line."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class TextFormatter(logging.Formatter):
    """Formats one line per record, and a traceback below it for a bug."""

    def __init__(self, *, colours: bool = False, traced: bool = False) -> None:
        """:param colours: use a terminal's colours.
        :param traced: end lines with the id of their conversation.
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
    """Formats one JSON object per line: time, level, logger, message, and trace and exception where there are any."""

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
    """Logs in a line that no file can be opened, where asyncio logs a traceback."""

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
    """Hides passwords of addresses in the log, and calls settings by the names of an add-on's options."""

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
