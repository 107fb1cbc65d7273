"""Places: which guest goes for which, by a clock of the test."""

import asyncio

import pytest

from irene_wyoming.errors import LimitExceeded
from irene_wyoming.servers.places import Guest, Places


class Home:
    """Places whose guests note their dismissal."""

    def __init__(self, total: int, per_host: int = 100, waiting: int = 100) -> None:
        self.now = 0.0
        self.places = Places(total, per_host, waiting, patience_s=2.0, clock=lambda: self.now)
        self.gone: list[str] = []

    def guest(self, name: str, host: str = "192.0.2.1", *, idle: bool = True) -> Guest:
        return Guest(host, idle=lambda: idle, dismiss=lambda: self.gone.append(name))

    async def come(self, name: str, host: str = "192.0.2.1", *, idle: bool = True) -> Guest:
        guest = self.guest(name, host, idle=idle)
        await self.places.take(guest)
        return guest


async def test_who_has_said_nothing_for_long_goes_for_a_newcomer() -> None:
    home = Home(2)
    await home.come("first")
    await home.come("busy", idle=False)
    home.now = 2.0
    await home.come("newcomer")
    assert home.gone == ["first"]
    assert len(home.places) == 2


async def test_an_address_with_many_idle_guests_loses_them_to_others_at_once() -> None:
    home = Home(4)
    for number in range(4):
        await home.come(f"stranger {number}", "198.51.100.1")
    for number in range(3):
        await home.come(f"home {number}", f"192.0.2.{number}")
    assert home.gone == ["stranger 0", "stranger 1", "stranger 2"]


async def test_a_newcomer_waits_for_who_is_about_to_leave() -> None:
    home = Home(1)
    first = await home.come("first", idle=False)
    coming = asyncio.create_task(home.come("second"))
    await asyncio.sleep(0)
    assert not coming.done()
    home.places.give(first)
    second = await coming
    assert second in home.places
    assert first not in home.places


async def test_those_who_wait_are_served_in_order_and_who_gives_up_loses_no_place() -> None:
    home = Home(1)
    first = await home.come("first", idle=False)
    waiting = [asyncio.create_task(home.come(str(number), idle=False)) for number in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.wait([waiting[0]])
    home.places.give(first)
    second = await waiting[1]
    assert not waiting[2].done()
    home.places.give(second)
    home.places.give(await waiting[2])
    assert len(home.places) == 0


async def test_more_than_may_wait_are_refused_at_once() -> None:
    home = Home(1, waiting=0)
    await home.come("first", idle=False)
    with pytest.raises(LimitExceeded, match="too many connections: at most 1 at a time"):
        await home.come("second")


async def test_an_address_has_its_own_limit_and_its_own_idle_guests() -> None:
    home = Home(9, per_host=2, waiting=0)
    await home.come("idle elsewhere", "198.51.100.1")
    await home.come("busy", idle=False)
    await home.come("idle")
    home.now = 5.0
    await home.come("newcomer", idle=False)
    assert home.gone == ["idle"]
    with pytest.raises(LimitExceeded, match="of one address: at most 2"):
        await home.come("one more")
    unlimited = home.guest("of this machine")
    unlimited.unlimited = True
    await home.places.take(unlimited)
    assert unlimited in home.places
