"""Measures the CPU time of calls in turns, so that all of them meet the same machine."""

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median, quantiles

from irene_wyoming.bench.rows import Timing

Call = Callable[[], object]


def interleaved(calls: Mapping[str, Call], rounds: int, in_a_row: int) -> dict[str, Timing]:
    """Time each call ``in_a_row`` times per round; the order rotates. It is the CPU time of the whole process, library
    threads included.

    :param rounds: at least 2.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for name in names:
        repeat(calls[name], in_a_row)  # fills tables, caches and buffers
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                spent[name].append(repeat(calls[name], in_a_row) / in_a_row / 1_000)
    finally:
        gc.enable()
    return {name: timing(us) for name, us in spent.items()}


def repeat(call: Call, times: int) -> int:
    """Repeat a call; gives nanoseconds of CPU."""
    begin = time.process_time_ns()
    for _ in range(times):
        call()
    return time.process_time_ns() - begin


def timing(us: list[float]) -> Timing:
    return Timing(min(us), median(us), quantiles(us, n=100, method="inclusive")[-1], len(us))
