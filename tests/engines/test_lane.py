"""Lane: calls in order, and a way on when one of them hangs."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from irene_wyoming.engines.lane import Lane
from irene_wyoming.errors import EngineFailed
from tests.conftest import until


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane("test")
    yield lane
    lane.close()


async def test_calls_run_in_order_on_one_thread_that_is_not_the_loops(lane: Lane) -> None:
    order: list[int] = []
    threads: set[int] = set()

    def call(number: int) -> int:
        order.append(number)
        threads.add(threading.get_ident())
        return number

    assert await asyncio.gather(*(lane.run(call, number) for number in range(50))) == list(range(50))
    assert order == list(range(50))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_an_error_is_the_callers(lane: Lane) -> None:
    with pytest.raises(ValueError, match="base 10"):
        await lane.run(int, "x")
    assert await lane.run(int, "1") == 1


async def test_a_cancelled_caller_takes_its_call_back(lane: Lane) -> None:
    release, called = threading.Event(), threading.Event()
    hanging = asyncio.create_task(lane.run(release.wait))
    await until(lambda: lane.running_s > 0)
    waiting = asyncio.create_task(lane.run(called.set))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    release.set()
    await hanging
    assert await lane.run(int) == 0
    assert not called.is_set()


async def test_those_behind_a_call_that_hangs_are_sent_away_and_clearing_up_is_not(lane: Lane) -> None:
    release, cleared = threading.Event(), threading.Event()
    hanging = asyncio.create_task(lane.run(release.wait))
    await until(lambda: lane.running_s > 0)
    waiting = asyncio.create_task(lane.run(int))
    await asyncio.sleep(0)
    lane.post(cleared.set)
    lane.send_away(EngineFailed("it hangs"))
    with pytest.raises(EngineFailed, match="it hangs"):
        await waiting
    assert not lane.idle
    release.set()
    await hanging
    await lane.run(int)
    assert cleared.is_set()


async def test_a_closed_lane_does_what_it_has_taken_and_takes_no_more(lane: Lane) -> None:
    done = threading.Event()
    lane.post(done.set)
    lane.close()
    lane.close()
    lane.post(pytest.fail)
    with pytest.raises(EngineFailed, match="left behind"):
        await lane.run(int)
    assert await asyncio.to_thread(done.wait, 10)
