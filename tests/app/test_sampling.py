"""Periodic sampling of the process."""

import asyncio
import time

import pytest
from prometheus_client import REGISTRY

from irene_wyoming.app.sampling import memory, sample, sampled, watch_loop
from tests.conftest import until


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_memory_is_that_of_this_process() -> None:
    memory("test", {})()
    assert 10e6 < figure("irene_resident_bytes", server="test") < 10e9


async def test_a_look_is_taken_at_once_and_again() -> None:
    looks: list[float] = []
    task = asyncio.create_task(sample([lambda: looks.append(time.monotonic())], every_s=0.01))
    await until(lambda: len(looks) > 2)
    task.cancel()
    await asyncio.wait([task])


async def test_a_stall_of_the_loop_is_timed_and_told(caplog: pytest.LogCaptureFixture) -> None:
    task = asyncio.create_task(watch_loop("stalled", {}, every_s=0.02, late_s=0.05))
    await asyncio.sleep(0)
    ends = time.monotonic() + 0.15
    while time.monotonic() < ends:
        pass
    await until(lambda: figure("irene_loop_lag_seconds_count", server="stalled") >= 1)
    task.cancel()
    await asyncio.wait([task])
    assert figure("irene_loop_lag_seconds_sum", server="stalled") > 0.05
    assert "stood still" in caplog.text


async def test_sampling_ends_with_its_context() -> None:
    before = asyncio.all_tasks()
    async with sampled("test"):
        assert asyncio.all_tasks() > before
    assert asyncio.all_tasks() == before
