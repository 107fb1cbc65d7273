"""Samples figures that nobody counts as they happen: memory, and the delay of the loop."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from irene_wyoming import metrics
from irene_wyoming.news import NEWS
from irene_wyoming.tasks import beside

log = logging.getLogger(__name__)

EVERY_S = 5.0
"""Seconds between two samples; Prometheus usually asks every 15."""

LAG_EVERY_S = 1.0
"""Seconds between wake-ups of the loop's watch: it never misses a longer stall, and costs next to nothing."""

LATE_S = 0.5
"""Seconds of a stall that people notice: half a second of live audio."""

Look = Callable[[], None]
"""Reads something and sets a metric. Called on a thread."""


@asynccontextmanager
async def sampled(server: str, more: Iterable[Look] = (), every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Sample memory and more, and watch the loop, while the context lasts."""
    figures: dict[str, float] = {}
    looking = beside(sample([memory(server, figures), *more], every_s), "sample the metrics")
    with NEWS.shown("process", lambda: figures or None):
        async with looking, beside(watch_loop(server, figures), "watch the event loop"):
            yield


async def sample(looks: Iterable[Look], every_s: float) -> None:
    """Call each look now and every so many seconds, on a thread. Runs until cancelled."""
    looks = list(looks)
    while True:
        await asyncio.to_thread(look_at_all, looks)
        await asyncio.sleep(every_s)


def look_at_all(looks: Iterable[Look]) -> None:
    for look in looks:
        look()


async def watch_loop(
    server: str, figures: dict[str, float], every_s: float = LAG_EVERY_S, late_s: float = LATE_S
) -> None:
    """Measure how late the event loop wakes us. Runs until cancelled.

    :param figures: gets ``lag_ms``.
    """
    loop = asyncio.get_running_loop()
    lag = metrics.LOOP_LAG_SECONDS.labels(server)
    while True:
        due = loop.time() + every_s
        await asyncio.sleep(every_s)
        late = max(0.0, loop.time() - due)
        lag.observe(late)
        figures["lag_ms"] = round(late * 1000, 1)
        if late > late_s:
            log.warning("%s: the event loop stood still for %.1f s; is the machine overloaded?", server, late)


def memory(server: str, figures: dict[str, float]) -> Look:
    """Make the look at this process's resident memory.

    :param figures: gets ``memory_mb``.
    """
    gauge = metrics.RESIDENT_BYTES.labels(server)
    statm = Path("/proc/self/statm")

    def look() -> None:
        size = int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        gauge.set(size)
        figures["memory_mb"] = round(size / 1e6, 1)

    return look
