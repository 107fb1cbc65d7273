"""Keeps useless lines that a C library writes to standard error out of the log.

TensorFlow Lite reports once per process that it has made an XNNPACK delegate, and has no setting for that.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2

_turn = threading.Lock()
_known: set[bytes] = set()
"""Lines that have been caught: a library writes them once."""


@contextmanager
def without(line: bytes) -> Iterator[None]:
    """Remove this line from standard error while the context lasts; once it was caught, contexts do nothing.

    Other text of any thread is written when the context ends.
    """
    with _turn:
        if line in _known:
            yield
            return
        try:
            real = os.dup(STDERR)
        except OSError:  # standard error is closed: nobody reads it
            yield
            return
        with os.fdopen(real, "wb", buffering=0) as there, tempfile.TemporaryFile(buffering=0) as kept:
            os.dup2(kept.fileno(), STDERR)
            try:
                yield
            finally:
                os.dup2(real, STDERR)
                kept.seek(0)
                written = kept.read()
                others = [each for each in written.splitlines(keepends=True) if each.strip() != line]
                if b"".join(others) != written:
                    _known.add(line)
                for each in others:
                    there.write(each)
