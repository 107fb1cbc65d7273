"""Reads small files that a user has named: never a pipe that nobody writes to, never more than a limit."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read(path: Path, max_bytes: int) -> bytes:
    """Read a regular file.

    :raises OSError: it cannot be read, is no regular file, or is too large; ``strerror`` says why.
    """
    with opened(path) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, f"larger than {max_bytes} bytes", str(path))
    return content


def opened(path: Path) -> BinaryIO:
    """Open a regular file for reading; the caller closes it.

    :raises OSError: it cannot be read or is no regular file; ``strerror`` says why.
    """
    return open(_opened(path), "rb")


def require(path: Path) -> None:
    """Check a file that a library will open itself, which would wait for ever on a pipe.

    :raises OSError: it cannot be read or is no regular file; ``strerror`` says why.
    """
    os.close(_opened(path))


def _opened(path: Path) -> int:
    """Open a file descriptor without waiting for the writer of a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a zero byte in the name
        raise OSError(errno.EINVAL, "no name of a file", str(path)) from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kind = next((name for test, name in KINDS if test(mode)), "something else")
    raise OSError(errno.EINVAL, f"not a file, but {kind}", str(path))
