"""Reading small files that a user has named: never a pipe that nobody writes to, never more than fits."""

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
    """The content of a regular file.

    :raises OSError: it cannot be read; ``strerror`` says why, also for what is no file or too large.
    """
    with opened(path) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, f"larger than {max_bytes} bytes", str(path))
    return content


def opened(path: Path) -> BinaryIO:
    """A regular file, to be read from and closed.

    :raises OSError: as for ``read``, whatever its size.
    """
    return open(_opened(path), "rb")


def require(path: Path) -> None:
    """Make sure that a library which opens the file itself will not wait for somebody to write it.

    :raises OSError: as for ``read``.
    """
    os.close(_opened(path))


def _opened(path: Path) -> int:
    """A descriptor. Opening a pipe waits for its writer, unless it is asked not to."""
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
