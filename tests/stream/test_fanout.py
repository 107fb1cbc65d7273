import asyncio

import pytest

from irene_wyoming.stream.fanout import FanOut, Subscription


async def rest(subscription: Subscription[int]) -> list[int]:
    return [item async for item in subscription]


async def test_every_reader_gets_every_item_in_order() -> None:
    fanout = FanOut[int]()
    readers = [fanout.subscribe(10) for _ in range(8)]
    for item in range(5):
        fanout.publish(item)
    fanout.close()
    assert [await rest(reader) for reader in readers] == [[0, 1, 2, 3, 4]] * 8
    assert [(reader.delivered, reader.dropped, reader.queued) for reader in readers] == [(5, 0, 0)] * 8


async def test_a_slow_reader_loses_its_own_oldest_and_nobody_elses() -> None:
    fanout = FanOut[int]()
    slow, roomy = fanout.subscribe(3), fanout.subscribe(100)
    for item in range(10):
        fanout.publish(item)
    assert (slow.queued, slow.capacity, slow.dropped) == (3, 3, 7)
    fanout.close()
    assert await rest(slow) == [7, 8, 9]
    assert await rest(roomy) == list(range(10))
    assert (slow.delivered, slow.dropped, roomy.dropped) == (3, 7, 0)


async def test_a_waiting_reader_gets_the_next_item() -> None:
    fanout = FanOut[int]()
    reader = fanout.subscribe(1)
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    fanout.publish(1)
    assert await waiting == 1


async def test_a_reader_that_is_cancelled_while_waiting_loses_nothing() -> None:
    fanout = FanOut[int]()
    reader = fanout.subscribe(5)
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    fanout.publish(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    fanout.publish(2)
    fanout.close()
    assert await rest(reader) == [1, 2]


async def test_closing_ends_readers_after_what_is_queued_and_wakes_those_that_wait() -> None:
    fanout = FanOut[int]()
    behind, waiting = fanout.subscribe(5), fanout.subscribe(5)
    fanout.publish(1)
    assert await anext(waiting) == 1
    last = asyncio.ensure_future(rest(waiting))
    await asyncio.sleep(0)
    fanout.close()
    fanout.publish(2)
    assert await rest(behind) == [1]
    assert await last == []


async def test_a_reader_that_comes_after_the_end_is_at_its_end() -> None:
    fanout = FanOut[int]()
    fanout.close()
    assert await rest(fanout.subscribe(1)) == []
    assert fanout.readers == 0


async def test_leaving_ends_the_iteration_and_drops_what_is_queued() -> None:
    fanout = FanOut[int]()
    with fanout.subscribe(5) as reader:
        fanout.publish(1)
        assert fanout.readers == 1
    assert fanout.readers == 0
    fanout.publish(2)
    assert (reader.queued, await rest(reader)) == (0, [])


async def test_a_closed_thing_can_be_closed_again() -> None:
    left = 0

    def count() -> None:
        nonlocal left
        left += 1

    fanout = FanOut[int](on_empty=count)
    first, second = fanout.subscribe(1), fanout.subscribe(1)
    first.close()
    first.close()
    assert left == 0
    second.close()
    second.close()
    assert left == 1
    fanout.close()
    fanout.close()


async def test_two_tasks_on_one_subscription_are_refused() -> None:
    reader = FanOut[int]().subscribe(1)
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one reader"):
        await anext(reader)
    reader.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_a_reader_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity 0"):
        FanOut[int]().subscribe(0)


async def test_taking_gives_what_is_queued_without_waiting() -> None:
    fanout = FanOut[int]()
    with fanout.subscribe(3) as reader:
        assert reader.take() == []
        for n in range(5):
            fanout.publish(n)
        assert reader.take() == [2, 3, 4]
        assert (reader.queued, reader.delivered, reader.dropped) == (0, 3, 2)
