"""Outlet: the log's output, which never makes a server wait for its reader."""

import os
import stat
import threading
from collections import deque
from contextlib import suppress
from typing import TextIO

MOST_LINES = 10_000
"""Most lines that wait for a reader, about 1 MB; further ones are counted."""

HANDOVER_S = 0.1
"""Seconds that a line waits for its writing, to stay in order with other output. A reader who takes longer has stopped,
and is not waited for until all is read.
"""

LAST_WORDS_S = 1.0
"""Seconds to write the rest at the end; a part of those that a server has to stop."""


class Outlet:
    """A text stream for ``logging`` over a descriptor that may block, such as a pipe or a terminal.

    A thread of its own writes. It ends with the process, even during a write that hangs.
    """

    def __init__(self, descriptor: int, most: int = MOST_LINES) -> None:
        self._descriptor = descriptor
        self._most = most
        self._waiting: deque[bytes] = deque()  # the first one is being written
        self._lost = 0
        self._stuck = False  # whether a wait was in vain since all was read
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None  # None: nothing was written yet

    def write(self, text: str) -> int:
        """Write text, waiting HANDOVER_S at most."""
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
        """Do nothing, for ``logging``: a written line is on its way."""

    def close(self) -> None:
        """Wait for the rest, LAST_WORDS_S at most."""
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
        with suppress(OSError):  # the reader has gone, which is no error for a log
            while line:
                line = line[os.write(self._descriptor, line) :]


def outlet(stream: TextIO) -> TextIO | Outlet:
    """The output for a log: the stream itself where writing to it cannot block."""
    try:
        descriptor = stream.fileno()
        plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (OSError, ValueError):  # it is no file of the system, or is closed
        return stream
    return stream if plain else Outlet(descriptor)
