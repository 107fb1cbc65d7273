import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineFailed
from tests.conftest import until


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    async with Worker("test") as worker:
        yield worker


class Thing:
    def __init__(self) -> None:
        self.closed_on: str | None = None

    def close(self) -> None:
        self.closed_on = threading.current_thread().name


def block(running: threading.Event, gate: threading.Event) -> bool:
    """Signal the beginning, then wait for the gate."""
    running.set()
    return gate.wait(10)


async def test_calls_run_in_order_on_one_thread_of_its_name(worker: Worker) -> None:
    order: list[tuple[int, str]] = []

    def note(number: int) -> int:
        order.append((number, threading.current_thread().name))
        return number

    assert await asyncio.gather(*(worker.run(note, n) for n in range(5))) == [0, 1, 2, 3, 4]
    assert order == [(n, "test") for n in range(5)]


async def test_what_a_call_raises_is_raised_by_the_caller_and_the_next_one_runs(worker: Worker) -> None:
    with pytest.raises(ZeroDivisionError):
        await worker.run(divmod, 1, 0)
    assert await worker.run(divmod, 7, 3) == (2, 1)


async def test_the_loop_goes_on_while_a_call_runs(worker: Worker) -> None:
    gate = threading.Event()
    waiting = asyncio.create_task(worker.run(gate.wait, 10))
    await asyncio.sleep(0)
    gate.set()
    assert await waiting


async def test_one_that_asks_without_pause_does_not_keep_others_from_their_turn(worker: Worker) -> None:
    order: list[str] = []

    async def ask(name: str, times: int) -> None:
        for _ in range(times):
            await worker.run(order.append, name)

    await asyncio.gather(ask("a", 20), ask("b", 20))
    assert order == ["a", "b"] * 20


async def test_what_was_made_for_a_caller_that_left_is_closed_on_the_thread(worker: Worker) -> None:
    gate = threading.Event()
    thing = Thing()

    def make() -> Thing:
        gate.wait(10)
        return thing

    task = asyncio.create_task(worker.obtain(make))
    await until(lambda: worker.running_s > 0)
    task.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: thing.closed_on == "test")


async def test_what_was_made_for_nobody_is_closed_even_where_the_worker_was_left_behind() -> None:
    worker, gate, thing = Worker("test"), threading.Event(), Thing()

    def make() -> Thing:
        gate.wait(10)
        return thing

    task = asyncio.create_task(worker.obtain(make))
    await until(lambda: worker.running_s > 0)
    task.cancel()
    await asyncio.wait([task])
    worker.leave()
    gate.set()
    await until(lambda: thing.closed_on == "test")


async def test_a_call_of_a_caller_that_left_is_not_begun(worker: Worker) -> None:
    gate = threading.Event()
    done: list[int] = []
    first = asyncio.create_task(worker.run(gate.wait, 10))
    second = asyncio.create_task(worker.run(done.append, 1))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    gate.set()
    await first
    await worker.run(int)
    assert done == []


async def test_closing_waits_for_the_running_call_and_cancels_those_that_wait() -> None:
    worker, running, gate = Worker("test"), threading.Event(), threading.Event()
    first = asyncio.create_task(worker.run(block, running, gate))
    second = asyncio.create_task(worker.run(int))
    await until(running.is_set)
    closing = asyncio.create_task(worker.close())
    await asyncio.wait([second])
    assert second.cancelled()
    gate.set()
    await closing
    await worker.close()
    assert await first
    with pytest.raises(RuntimeError, match="worker test is closed"):
        await worker.run(int)


async def test_what_is_discarded_is_closed_on_the_thread_even_while_the_worker_closes() -> None:
    worker, thing, running, gate = Worker("test"), Thing(), threading.Event(), threading.Event()
    waiting = asyncio.create_task(worker.run(block, running, gate))
    await until(running.is_set)
    worker.discard(thing)
    closing = asyncio.create_task(worker.close())
    await asyncio.sleep(0)
    assert thing.closed_on is None
    gate.set()
    await closing
    assert await waiting
    assert thing.closed_on == "test"


async def test_what_cannot_be_closed_is_told_and_the_thread_goes_on(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    class Stuck:
        def close(self) -> None:
            raise OSError("stuck")

    worker.discard(Stuck())
    assert await worker.run(int) == 0
    assert "could not be closed" in caplog.text


async def test_a_worker_that_was_never_used_has_no_thread() -> None:
    before = threading.active_count()
    async with Worker("test"):
        assert threading.active_count() == before


async def test_those_behind_a_call_that_hangs_are_sent_away_and_clearing_up_is_not(worker: Worker) -> None:
    release, thing = threading.Event(), Thing()
    hanging = asyncio.create_task(worker.run(release.wait))
    await until(lambda: worker.running_s > 0)
    waiting = asyncio.create_task(worker.run(int))
    await asyncio.sleep(0)
    worker.discard(thing)
    worker.send_away(EngineFailed("it hangs"))
    with pytest.raises(EngineFailed, match="it hangs"):
        await waiting
    assert not worker.idle
    release.set()
    await hanging
    await worker.run(int)
    assert thing.closed_on == "test"
    await until(lambda: worker.idle)
    assert worker.running_s == 0


async def test_one_that_was_left_behind_does_what_it_has_taken_and_takes_no_more() -> None:
    worker, release, thing = Worker("test"), threading.Event(), Thing()
    hanging = asyncio.create_task(worker.run(release.wait))
    await until(lambda: worker.running_s > 0)
    worker.discard(thing)
    worker.leave()
    worker.discard(Thing())
    with pytest.raises(EngineFailed, match="left behind"):
        await worker.run(int)
    release.set()
    assert await hanging
    await until(lambda: thing.closed_on == "test")
    await until(lambda: not any(thread.name == "test" for thread in threading.enumerate()))
