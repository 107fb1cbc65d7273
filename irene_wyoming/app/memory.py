"""What a server's caches hold and do, told in the metrics; and what they give back when memory runs short."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from irene_wyoming import metrics
from irene_wyoming.audio.cache import CacheStats
from irene_wyoming.batch.pressure import (
    MemoryReading,
    PressureLevel,
    Sheds,
    pressure_level,
    read_pressure,
    shed,
)

log = logging.getLogger(__name__)

EVERY_S = 10.0
"""Seconds between two looks: the kernel's shortest average of waiting for memory is over 10 s; a look costs 2 ms."""

Stats = Callable[[], CacheStats]


class MemoryWatch:
    """Looks at memory and caches, and acts.

    :param stats: the caches to tell of, by the name that they have in the metrics.
    :param sheds: what gives memory back under pressure, each on its own.
    :param read: how short memory is now; not called on the event loop.
    """

    def __init__(
        self,
        stats: Mapping[str, Stats],
        sheds: Sequence[Sheds],
        read: Callable[[], MemoryReading] = read_pressure,
    ) -> None:
        self._stats = stats
        self._sheds = sheds
        self._read = read
        self._before: MemoryReading | None = None
        self.level = PressureLevel.NONE

    async def look(self) -> None:
        """Look once."""
        now = await asyncio.to_thread(self._read)
        level = pressure_level(now, self._before)
        self._before = now
        if level:
            given_back = shed(self._sheds, level)
            metrics.SHED_BYTES.inc(given_back)
            if level is not self.level:
                log.warning("memory: %s pressure, %d kB given back", level.name.lower(), given_back >> 10)
        elif self.level:
            log.info("memory: enough again")
        self.level = level
        metrics.MEMORY_PRESSURE.set(level)
        for name, stats in self._stats.items():
            tell(name, stats())


def tell(name: str, stats: CacheStats) -> None:
    metrics.CACHE_HITS.labels(name).set(stats.cache_hits)
    metrics.CACHE_MISSES.labels(name).set(stats.cache_misses)
    metrics.CACHE_BYTES.labels(name).set(stats.bytes)


@asynccontextmanager
async def watched(watch: MemoryWatch, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Look again and again for as long as the context lasts."""

    async def run() -> None:
        while True:
            await watch.look()
            await asyncio.sleep(every_s)

    task = asyncio.create_task(run(), name="watch memory")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("memory: a bug in the watch", exc_info=error)
