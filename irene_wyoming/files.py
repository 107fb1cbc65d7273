"""Small files, written in one step. Those that a user has named are read with care: no pipes, and up to a limit."""

import errno
import os
import stat
import tempfile
from contextlib import suppress
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


def replace(path: Path, text: str) -> None:
    """Write a file in one step: there is the old text or the new one, whatever happens meanwhile. Blocks.

    :raises OSError: there is no room, or it may not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


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
