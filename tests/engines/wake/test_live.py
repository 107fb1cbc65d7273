import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from irene_wyoming.engines.base import Hit
from irene_wyoming.engines.wake.live import ROOM_BYTES, TURN_BYTES, LiveSession
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineFailed
from tests.conftest import until


class Held:
    """A WakeSession that hears one word per push, once the test lets it go on."""

    def __init__(self) -> None:
        self.needs = 1000
        self.pushed: list[int] = []
        self.skipped: list[int] = []
        self.closed = 0
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def push(self, pcm: bytes) -> Sequence[Hit]:
        self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
        self.pushed.append(len(pcm))
        return [Hit("word", 1.0, sum(self.pushed) // 2)]

    def skip(self, frames: int) -> None:
        self.skipped.append(frames)

    def close(self) -> None:
        self.closed += 1


class Told:
    """The callbacks that reached the loop."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self.failures: list[Exception] = []
        self.hurried = 0

    def hurry(self) -> None:
        self.hurried += 1


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    async with Worker("live") as worker:
        yield worker


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def live(worker: Worker, held: Held, told: Told) -> AsyncIterator[LiveSession]:
    session = LiveSession(held, worker, "test", told.hits.extend, told.failures.append, told.hurry)
    yield session
    held.gate.set()
    session.close()


async def test_what_is_given_is_heard_and_told_before_the_wait_ends(live: LiveSession, told: Told) -> None:
    for _ in range(3):
        live.give(bytes(100))
        await live.heard()
    assert [hit.frame for hit in told.hits] == [50, 100, 150]


async def test_what_waits_is_heard_together_but_no_more_than_a_turn_at_a_time(live: LiveSession, held: Held) -> None:
    held.gate.clear()
    for _ in range(5):
        live.give(bytes(TURN_BYTES // 2))
    held.gate.set()
    await live.heard()
    assert sum(held.pushed) == 5 * TURN_BYTES // 2
    assert held.pushed in ([TURN_BYTES // 2, TURN_BYTES, TURN_BYTES], [TURN_BYTES, TURN_BYTES, TURN_BYTES // 2])


async def test_another_session_has_its_turn_between_two_turns(worker: Worker, live: LiveSession, held: Held) -> None:
    order: list[str] = []
    held.gate.clear()
    for _ in range(3):
        live.give(bytes(TURN_BYTES))
    other = asyncio.create_task(worker.run(lambda: order.append(f"after {len(held.pushed)}")))
    await asyncio.sleep(0)
    held.gate.set()
    await other
    await live.heard()
    assert order == ["after 1"]
    assert len(held.pushed) == 3


async def test_one_who_gives_too_much_waits_for_room(live: LiveSession, held: Held) -> None:
    held.gate.clear()
    live.give(bytes(ROOM_BYTES))
    await live.room()
    live.give(bytes(2))
    waiting = asyncio.create_task(live.room())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    held.gate.set()
    await waiting


async def test_audio_that_is_wanted_sooner_is_asked_for(live: LiveSession, held: Held, told: Told) -> None:
    assert live.needs == 1000
    held.needs = 10
    live.give(bytes(2))
    await until(lambda: told.hurried == 1)
    assert live.needs == 10
    held.needs = 1000
    live.give(bytes(2))
    await until(lambda: live.needs == 1000)
    assert told.hurried == 1


@pytest.mark.parametrize("failure", [EngineFailed("broken"), ZeroDivisionError("a bug")])
async def test_a_failure_is_told_once_and_ends_all_waiting(
    live: LiveSession, held: Held, told: Told, failure: Exception
) -> None:
    held.gate.clear()
    held.failure = failure
    for _ in range(4):
        live.give(bytes(TURN_BYTES))
    waiting = [asyncio.create_task(live.heard()), asyncio.create_task(live.room())]
    await asyncio.sleep(0)
    held.gate.set()
    await asyncio.gather(*waiting)
    live.give(bytes(2))
    await live.heard()
    assert told.failures == [failure]


async def test_a_closed_session_hears_nothing_more_and_can_be_closed_again(
    live: LiveSession, held: Held, told: Told, worker: Worker
) -> None:
    held.gate.clear()
    live.give(bytes(2))
    waiting = asyncio.create_task(live.heard())
    await asyncio.sleep(0)
    live.close()
    held.gate.set()
    await waiting
    live.close()
    live.give(bytes(2))
    await worker.run(int)
    assert held.closed == 1
    assert told.hits == []


async def test_old_audio_is_dropped_where_too_much_waits_and_the_session_is_told(live: LiveSession, held: Held) -> None:
    held.gate.clear()
    for _ in range(11):
        live.give(bytes(10_000))
    assert live.drop(200_000) == 0
    dropped = live.drop(50_000)
    assert 80_000 <= dropped <= 100_000  # some seconds at once, so that the rest is whole
    held.gate.set()
    await live.heard()
    assert sum(held.pushed) == 110_000 - dropped
    assert held.skipped == [dropped // 2]
