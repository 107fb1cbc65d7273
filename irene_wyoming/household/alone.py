"""Runs work in a fresh interpreter: one BLAS thread, and no traces of earlier work in memory.

Imports nothing heavy: the number of threads must be set before numpy is loaded.
"""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Environment variables for the number of threads, read by numpy's libraries when they are loaded."""


def alone(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a module's function in a process of its own; arguments and result are copied."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin) as pool:
        return pool.submit(function, *args, **kwargs).result()


def _begin() -> None:
    """Let Ctrl-C end this process without a traceback, since the process that started it reports."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    use_one_thread()


def use_one_thread() -> None:
    """Limit numpy's library to one thread, before it is loaded."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
