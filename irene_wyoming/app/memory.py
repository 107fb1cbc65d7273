"""What a server's caches do, told in the metrics; and which models are let go when memory runs short."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from irene_wyoming import metrics
from irene_wyoming.audio.cache import CacheStats
from irene_wyoming.batch.pressure import MemoryReading, PressureLevel, pressure_level, read_pressure
from irene_wyoming.tasks import beside

log = logging.getLogger(__name__)

EVERY_S = 10.0
"""Seconds between two looks: the kernel's shortest average of waiting for memory is over 10 s; a look costs 2 ms."""

UNUSED_S: Mapping[PressureLevel, float] = MappingProxyType({PressureLevel.SOME: 300.0, PressureLevel.CRITICAL: 30.0})
"""Seconds without work after which a model is let go. It takes seconds to load again, so that one which a household
uses now is kept; a person who speaks twice within 30 s is in the midst of something."""

Stats = Callable[[], CacheStats]
LetGo = Callable[[float], Awaitable[list[str]]]
"""Lets models go that have been without work for so many seconds; gives their names."""


async def nothing(_: float) -> list[str]:
    """For a server whose models are in use all the time."""
    return []


class MemoryWatch:
    """Looks at memory and caches, and acts.

    :param stats: the caches to tell of, by the name that they have in the metrics.
    :param let_go: what is done under pressure. Models are what takes memory; filters take a hundredth of one.
    :param read: how short memory is now; not called on the event loop.
    """

    def __init__(
        self,
        stats: Mapping[str, Stats],
        let_go: LetGo = nothing,
        read: Callable[[], MemoryReading] = read_pressure,
    ) -> None:
        self._stats = stats
        self._let_go = let_go
        self._read = read
        self._before: MemoryReading | None = None
        self.level = PressureLevel.NONE

    async def look(self) -> None:
        """Look once."""
        now = await asyncio.to_thread(self._read)
        level = pressure_level(now, self._before)
        self._before = now
        if level:
            if level is not self.level:
                log.warning("memory: %s pressure", level.name.lower())
            for name in await self._let_go(UNUSED_S[level]):
                metrics.UNLOADED_MODELS.labels(name).inc()
                log.warning("memory: %s: model let go after %g s without work", name, UNUSED_S[level])
        elif self.level:
            log.info("memory: enough again")
        self.level = level
        metrics.MEMORY_PRESSURE.set(level)
        for name, stats in self._stats.items():
            tell(name, stats())


def tell(name: str, stats: CacheStats) -> None:
    metrics.CACHE_HITS.labels(name).set(stats.cache_hits)
    metrics.CACHE_MISSES.labels(name).set(stats.cache_misses)


@asynccontextmanager
async def watched(watch: MemoryWatch, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Look again and again for as long as the context lasts."""

    async def run() -> None:
        while True:
            await watch.look()
            await asyncio.sleep(every_s)

    try:
        async with beside(run(), "watch memory") as task:
            yield
    finally:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("memory: a bug in the watch", exc_info=error)
