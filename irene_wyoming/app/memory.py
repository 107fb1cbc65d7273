"""Reports what a server's caches do in the metrics, and unloads models when memory runs short."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from irene_wyoming import metrics
from irene_wyoming.audio.cache import CacheStats
from irene_wyoming.batch.pressure import MemoryReading, PressureLevel, pressure_level, read_pressure
from irene_wyoming.heap import give_back_memory
from irene_wyoming.tasks import beside

log = logging.getLogger(__name__)

EVERY_S = 10.0
"""Seconds between two looks: the kernel's shortest average of memory stalls is over 10 s. A look costs 2 ms."""

LOOKS_PER_TRIM = 6
"""Looks between two times that freed memory is given back. Blocks of long and short lives mix in the C library's heap,
which so grew by 9 kB a minute under many short conversations, though no block was lost. A thread takes 6 to 16 ms for
a heap of 25 MB in pieces.
"""

UNUSED_S: Mapping[PressureLevel, float] = MappingProxyType({PressureLevel.SOME: 300.0, PressureLevel.CRITICAL: 30.0})
"""Seconds without work after which a model is unloaded, by pressure. Loading takes seconds, so models in use are kept.
A person who speaks twice within 30 s is busy with something.
"""

Stats = Callable[[], CacheStats]
LetGo = Callable[[float], Awaitable[list[str]]]
"""Unloads models that were not used for so many seconds; gives their names."""


async def nothing(_: float) -> list[str]:
    """Unload nothing, for a server whose models are always in use."""
    return []


class MemoryWatch:
    """Watches memory and caches, and frees memory under pressure.

    :param stats: the caches to report, by their names in the metrics.
    :param let_go: unloads models under pressure; filters take a hundredth of a model's memory.
    :param read: reads the memory pressure; not called on the event loop.
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
        """Look once and act."""
        now = await asyncio.to_thread(self._read)
        level = pressure_level(now, self._before)
        self._before = now
        if level:
            if level is not self.level:
                log.warning("memory: %s pressure", level.name.lower())
            for name in await self._let_go(UNUSED_S[level]):
                metrics.UNLOADED_MODELS.labels(name).inc()
                log.warning("memory: %s: model unloaded after %g s without work", name, UNUSED_S[level])
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
    """Watch memory while the context lasts."""

    async def run() -> None:
        for number in itertools.count(1):
            await watch.look()
            if not number % LOOKS_PER_TRIM:
                await asyncio.to_thread(give_back_memory)
            await asyncio.sleep(every_s)

    try:
        async with beside(run(), "watch memory") as task:
            yield
    finally:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("memory: a bug in the watch", exc_info=error)
