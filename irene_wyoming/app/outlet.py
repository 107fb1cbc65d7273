"""Outlet: where the log goes, without a server ever waiting for whoever reads it."""

import os
import stat
import threading
from collections import deque
from contextlib import suppress
from typing import TextIO

MOST_LINES = 10_000
"""Lines that wait for a reader, about 1 MB; what comes beyond them is counted."""

HANDOVER_S = 0.1
"""A line waits so long for its turn, so that lines are in order with what else is printed. A reader who takes longer
has stopped, and is waited for no more until everything has been read."""

LAST_WORDS_S = 1.0
"""For what is left at the end; a part of the seconds that a server has to stop."""


class Outlet:
    """A text stream for ``logging`` over a descriptor that may block, such as a pipe or a terminal.

    A thread of its own writes. It ends with the process, even where a write of it never does.
    """

    def __init__(self, descriptor: int, most: int = MOST_LINES) -> None:
        self._descriptor = descriptor
        self._most = most
        self._waiting: deque[bytes] = deque()  # the first one is being written
        self._lost = 0
        self._stuck = False  # somebody has waited in vain since all was read
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None  # None: nothing has been written

    def write(self, text: str) -> int:
        """Never waits longer than HANDOVER_S."""
        with self._changed:
            if len(self._waiting) >= self._most:
                self._lost += 1
                return len(text)
            self._waiting.append(text.encode(errors="backslashreplace"))
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="log", daemon=True)
                self._thread.start()
            if not self._stuck:
                self._stuck = not self._changed.wait_for(self._empty, HANDOVER_S)
        return len(text)

    def flush(self) -> None:
        """For ``logging``: a line is on its way once it is written."""

    def close(self) -> None:
        """Wait for what is left, but not for ever."""
        with self._changed:
            self._changed.wait_for(self._empty, LAST_WORDS_S)

    def _empty(self) -> bool:
        return not self._waiting

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                line = self._waiting[0]
            self._out(line)
            with self._changed:
                self._waiting.popleft()
                if not self._waiting and self._lost:
                    self._waiting.append(b"%d lines of the log were lost, since nobody read it\n" % self._lost)
                    self._lost = 0
                if not self._waiting:
                    self._stuck = False
                    self._changed.notify_all()

    def _out(self, line: bytes) -> None:
        with suppress(OSError):  # the reader is gone, and a log that nobody wants is no trouble
            while line:
                line = line[os.write(self._descriptor, line) :]


def outlet(stream: TextIO) -> TextIO | Outlet:
    """What a log is to be written to: the stream itself where writing to it cannot block."""
    try:
        descriptor = stream.fileno()
        plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (OSError, ValueError):  # it is no file of the system, or is closed
        return stream
    return stream if plain else Outlet(descriptor)
