"""A server that cannot keep up sends clients to others."""

import asyncio

import pytest

from irene_wyoming.servers.relief import Relief


@pytest.mark.parametrize(
    ("dropped", "expected"),
    [
        ([True, True], [False, True]),
        ([True, False, True], [False, False, False]),
        ([False, False], [False, False]),
    ],
)
def test_only_who_is_behind_for_long_is_relieved(dropped: list[bool], expected: list[bool]) -> None:
    relief, found = Relief(), []
    for some in dropped:
        if some:
            relief.dropped(0.5)
        found.append(relief.look())
    assert found == expected


async def test_a_server_that_stays_behind_is_relieved_again_and_again() -> None:
    relief, times = Relief(look_s=0.001, again_s=0.001), asyncio.Semaphore(0)

    async def relieve() -> int:
        times.release()
        return 1

    async def fall_behind() -> None:
        while True:
            relief.dropped(0.1)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(relief.watch("wake", relieve)), asyncio.create_task(fall_behind())]
    for _ in range(2):
        await times.acquire()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
