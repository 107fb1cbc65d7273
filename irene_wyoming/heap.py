"""The process's memory: lets it be freed soon, and be used again or given back to the system."""

import ctypes
import functools
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_M_ARENA_MAX = -8
"""The number of glibc's option M_ARENA_MAX."""


def one_heap() -> None:
    """Let all threads use one heap, so that one can reuse what another has freed.

    By default glibc gives threads heaps of their own, and each keeps the most that it ever held. Call it before there
    are threads, since a thread stays with its heap. The speech-to-text server then holds 185 MB after its first command
    instead of 222.
    """
    _called("mallopt", _M_ARENA_MAX, 1)


def settle() -> None:
    """Leave out what is loaded by now when Python looks for unreachable objects. Call it when much that lasts was made.

    Each conversation leaves some objects that refer to each other. Those that were in use while Python looked for such
    ones wait for its full search, which begins when they are a quarter of all objects: 25,000 beside the libraries of a
    server, and megabytes. Without these the quarter comes soon, and the search takes microseconds instead of 50 ms.
    """
    gc.unfreeze()  # what was left out earlier may have been replaced
    gc.collect()  # else what loading has left would stay for good
    gc.freeze()
    gc.collect()  # counts anew what a quarter is of


@contextmanager
def lasting() -> Iterator[None]:
    """Make objects that last, and settle them.

    A home of a thousand names has 250,000 objects. Looking through them takes 0.2 s, in the midst of an utterance.
    """
    gc.disable()  # each round would look through all that has been made until then
    try:
        yield
    finally:
        gc.enable()
        settle()


def give_back_memory() -> None:
    """Give freed memory back to the system. The C library would keep it for later use; only glibc needs this."""
    _called("malloc_trim", 0)


@functools.cache
def _library() -> ctypes.CDLL:
    """The C library; each CDLL makes a class of its own that only Python's search for unreachable objects frees."""
    return ctypes.CDLL(None)


def _called(name: str, *args: int) -> None:
    try:
        getattr(_library(), name)(*args)
    except (OSError, AttributeError):  # another C library than glibc
        return
