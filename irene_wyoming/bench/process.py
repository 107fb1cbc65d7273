"""A fresh interpreter for a measurement: one BLAS thread, nothing loaded, nothing of earlier measurements in memory.

Imports nothing heavy: the number of threads must be set before numpy is loaded.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What the libraries that numpy may be built with read when they are loaded."""


def alone(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a module's function in a process of its own; arguments and result are copied."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=use_one_thread) as pool:
        return pool.submit(function, *args, **kwargs).result()


def use_one_thread() -> None:
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended meanwhile, or this system does not tell
        children = []
    return [pid, *(member for child in children for member in family(child))]


def used(pid: int) -> tuple[float, int]:
    """CPU time of a process and all that it has started, seconds, and their memory in RAM, bytes. Linux only.

    :raises OSError: the system does not tell.
    """
    seconds, resident = 0.0, 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        seconds += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # its own, and of children that have ended
        resident += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return seconds, resident


def resident_bytes() -> int | None:
    """Memory of this process that lies in RAM; None: this system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
