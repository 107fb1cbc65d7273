"""The watch on memory: caches give back what the pressure asks for, and the metrics tell what they do."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from irene_wyoming.app.memory import MemoryWatch, watched
from irene_wyoming.audio.cache import ByteBudgetCache
from irene_wyoming.batch.pressure import MemoryReading, PressureLevel


def filled() -> ByteBudgetCache[int, bytes]:
    cache: ByteBudgetCache[int, bytes] = ByteBudgetCache(10_000, lambda _, value: len(value), lowest=0)
    for number in range(10):
        cache.put(number, bytes(1_000))
    return cache


async def test_caches_give_back_half_then_all_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    cache = filled()
    readings: Iterator[MemoryReading] = iter([MemoryReading(available=a) for a in (0.5, 0.1, 0.1, 0.01, 0.5)])
    watch = MemoryWatch({"test": cache.stats}, [cache], lambda: next(readings))
    held = []
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            await watch.look()
            held.append(cache.stats().bytes)
    assert held == [10_000, 5_000, 2_000, 0, 0]
    assert [record.message.partition(",")[0] for record in caplog.records] == [
        "memory: some pressure",
        "memory: critical pressure",
        "memory: enough again",
    ]
    assert watch.level is PressureLevel.NONE


async def test_the_metrics_tell_what_a_cache_does() -> None:
    cache = filled()
    cache.get(1)
    cache.get(99)
    await MemoryWatch({"told": cache.stats}, [], MemoryReading).look()
    figures = {name: REGISTRY.get_sample_value(f"irene_cache_{name}", {"cache": "told"}) for name in ("hits", "misses")}
    assert figures == {"hits": 1, "misses": 1}
    assert REGISTRY.get_sample_value("irene_cache_bytes", {"cache": "told"}) == 10_000


async def test_it_looks_again_and_again_until_the_end() -> None:
    looks = 0
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> MemoryReading:
        nonlocal looks
        looks += 1
        if looks == 3:
            loop.call_soon_threadsafe(enough.set)
        return MemoryReading()

    async with watched(MemoryWatch({}, [], read), every_s=0.001):
        await asyncio.wait_for(enough.wait(), 10)
