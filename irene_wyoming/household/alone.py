"""Runs work in a fresh interpreter: one BLAS thread, and no traces of earlier work in memory.

Imports nothing heavy: the number of threads must be set before numpy is loaded.
"""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Environment variables for the number of threads, read by numpy's libraries when they are loaded."""


def alone(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a module's function in a process of its own; arguments and result are copied.

    :raises KeyboardInterrupt: Ctrl-C has ended the function; a terminal sends it to both processes.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=use_one_thread) as pool:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the new process inherits it, and starts in peace
        try:
            calling = pool.submit(_call, partial(function, *args, **kwargs))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return calling.result()


def _call(function: Callable[[], T]) -> T:
    """Call a function that Ctrl-C may end. Before and after it Ctrl-C would end this process with a traceback."""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return function()
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def use_one_thread() -> None:
    """Limit numpy's library to one thread, before it is loaded."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
