import asyncio
import threading

import pytest

from irene_wyoming.capture.inbox import Inbox


async def test_what_another_thread_puts_in_comes_out_in_order() -> None:
    inbox = Inbox[int](100_000)

    def fill() -> None:
        for item in range(20_000):
            inbox.put(item)
        inbox.end()

    thread = threading.Thread(target=fill)
    thread.start()
    async with asyncio.timeout(60):
        assert [item async for item in inbox] == list(range(20_000))
    thread.join()
    assert inbox.dropped == 0


async def test_a_busy_loop_loses_the_oldest_and_counts_them() -> None:
    inbox = Inbox[int](50)

    def fill() -> None:
        for item in range(1000):
            inbox.put(item)

    thread = threading.Thread(target=fill)
    thread.start()
    while thread.is_alive():  # the loop does nothing else meanwhile
        pass
    inbox.end()
    assert [item async for item in inbox] == list(range(950, 1000))
    assert inbox.dropped == 950


async def test_a_waiting_reader_is_woken_by_the_end() -> None:
    inbox = Inbox[int](5)
    waiting = asyncio.ensure_future(anext(inbox))
    await asyncio.sleep(0)
    threading.Thread(target=inbox.end).start()
    async with asyncio.timeout(60):
        with pytest.raises(StopAsyncIteration):
            await waiting


def test_a_thread_that_outlives_the_loop_is_not_disturbed() -> None:
    async def make() -> Inbox[int]:
        return Inbox[int](5)

    inbox = asyncio.run(make())
    inbox.put(1)
    inbox.end()
