"""The memory watch: caches give back what the pressure asks for, and metrics show it."""

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


async def test_models_without_work_are_let_go_and_each_level_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    unused = {"whisper": 400.0, "vosk": 100.0, "guided": 5.0}  # seconds without work

    async def let_go(for_s: float) -> list[str]:
        gone = [name for name, idle_s in unused.items() if idle_s >= for_s]
        for name in gone:
            del unused[name]
        return gone

    readings: Iterator[MemoryReading] = iter([MemoryReading(available=a) for a in (0.5, 0.1, 0.1, 0.01, 0.5)])
    watch = MemoryWatch({}, let_go, lambda: next(readings))
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            await watch.look()
    assert [record.message for record in caplog.records] == [
        "memory: some pressure",
        "memory: whisper: model unloaded after 300 s without work",
        "memory: critical pressure",
        "memory: vosk: model unloaded after 30 s without work",
        "memory: enough again",
    ]
    assert list(unused) == ["guided"]
    assert watch.level is PressureLevel.NONE


async def test_the_metrics_tell_what_a_cache_does() -> None:
    cache = filled()
    cache.get(1)
    cache.get(99)
    await MemoryWatch({"told": cache.stats}, read=MemoryReading).look()
    figures = {name: REGISTRY.get_sample_value(f"irene_cache_{name}", {"cache": "told"}) for name in ("hits", "misses")}
    assert figures == {"hits": 1, "misses": 1}


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

    async with watched(MemoryWatch({}, read=read), every_s=0.001):
        await asyncio.wait_for(enough.wait(), 60)
