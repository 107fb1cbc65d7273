"""The log: lines for people or JSON for collectors, from which nothing that a peer sent can escape."""

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from irene_wyoming.checks import discreet
from irene_wyoming.config.addon import told
from irene_wyoming.config.model import Config

REPEATS = 10
"""Warnings of one kind that are told in a window: enough to see what goes on."""

WINDOW_S = 60.0

MAX_KINDS = 1_000
"""Kinds of warnings that are counted at a time; the program has some hundred."""

# Controls, among them what moves a terminal's cursor, and what turns or hides text (Unicode's line and paragraph
# separators, marks of direction, and the byte order mark).
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def start_log(config: Config) -> None:
    """Log to standard error as the configuration wants it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if config.log_format == "json" else TextFormatter())
    handler.addFilter(Repeats())  # it counts texts before values are put in, which Told does
    handler.addFilter(Told(household=config.household))
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler], force=True)


def escaped(text: str) -> str:
    r"""Text in which controls and surrogates are written as \x1b or \u202e, so that a line stays one line."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class TextFormatter(logging.Formatter):
    """One line for each record; below it a traceback, if the program has a bug."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        record.message = escaped(record.message)
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """One JSON object in a line: time, level, logger, message, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        written = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            written["exception"] = self.formatException(record.exc_info)
        return json.dumps(written)


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


class Repeats(logging.Filter):
    """Lets ``REPEATS`` warnings of one kind through in a minute; the first one after it says how many were left out.

    Of one kind are those with the same text before values are put in, and of the same ``fact`` where a warning has one
    (``extra={"fact": path}``): thirteen damaged files are thirteen facts. What is no warning is always told.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """:param clock: seconds, never going back."""
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[str, str, str], tuple[float, int]] = {}  # when it began, how many there were

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind, now = (record.name, str(record.msg), getattr(record, "fact", "")), self._clock()
        began, count = self._windows.get(kind, (now, 0))
        if now - began >= WINDOW_S:
            left_out = max(0, count - REPEATS)
            began, count = now, 0
            if left_out:
                record.msg = f"{record.msg} ({left_out} more like it were left out)"
        if len(self._windows) >= MAX_KINDS:
            self._windows.clear()
        self._windows[kind] = (began, count + 1)
        return count < REPEATS
