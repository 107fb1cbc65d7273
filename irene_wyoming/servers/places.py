"""Places: limits the clients of an address, and decides who goes first when there are more."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from irene_wyoming.errors import LimitExceeded

WAIT_S = 1.0
"""Seconds to wait for a place. Leaving clients free theirs within milliseconds; a hub asks again after seconds."""


@dataclass(eq=False, slots=True)
class Guest:
    """A client that wants a place."""

    host: str
    """The client's address, or empty."""
    idle: Callable[[], bool]
    """Whether it has done nothing so far, so that it may be dismissed for another."""
    dismiss: Callable[[], None]
    """Sends it away; it has no place any more afterwards."""
    unlimited: bool = False
    """Whether the limit per address does not hold for it."""
    since: float = 0.0
    """The clock's reading when it got its place."""
    admitted: asyncio.Future[None] | None = field(default=None, repr=False)
    """Pending while it waits for a place."""

    def forget(self) -> None:
        """Let go of the client, which has left: the two would keep each other until Python searches for such pairs."""
        self.idle, self.dismiss = _never, _nothing


def _never() -> bool:
    return False


def _nothing() -> None:
    pass


class Places:
    """A bounded number of places.

    When all are taken, an idle guest goes for a newcomer: one that has been here for a while, or one from an address
    that has more of them than the newcomer's. So an address that fills all places harms nobody but itself.

    :param total: places.
    :param per_host: places for one address.
    :param waiting: newcomers that may wait; further ones replace those who have waited longest.
    :param patience_s: seconds in which an idle guest is safe from others of its address.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        total: int,
        per_host: int,
        waiting: int,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._per_host = per_host
        self._most_waiting = waiting
        self._patience_s = patience_s
        self._clock = clock
        self._guests: dict[Guest, None] = {}  # in order of arrival
        self._hosts: Counter[str] = Counter()  # guests per limited address
        self._waiting: dict[Guest, None] = {}

    def __len__(self) -> int:
        """The number of taken places."""
        return len(self._guests)

    def __contains__(self, guest: Guest) -> bool:
        """Whether the guest has a place."""
        return guest in self._guests

    async def take(self, guest: Guest) -> None:
        """Take a place until ``give``, after a short wait if need be.

        :raises LimitExceeded: no place is free.
        """
        if self._admit(guest):
            return
        self._make_room_to_wait(guest)
        guest.admitted = asyncio.get_running_loop().create_future()
        self._waiting[guest] = None
        try:
            await self._wait(guest, guest.admitted)
        except asyncio.CancelledError:
            self.give(guest)
            raise
        finally:
            self._waiting.pop(guest, None)
            guest.admitted = None

    async def _wait(self, guest: Guest, admitted: asyncio.Future[None]) -> None:
        """Wait for a place; raises LimitExceeded where none comes in time, or others wait instead."""
        waited_s = 0.0
        while guest not in self._guests:
            step_s = min(self._patience_s, WAIT_S - waited_s)
            if step_s <= 0:
                raise self._refusal(guest)
            await asyncio.wait([admitted], timeout=step_s)
            waited_s += step_s
            if admitted.done():
                admitted.result()
            elif self._admit(guest):  # an idle guest could be dismissed meanwhile
                return

    def _make_room_to_wait(self, newcomer: Guest) -> None:
        """Where too many wait, dismiss the one that has waited longest, from the address with most waiting.

        :raises LimitExceeded: waiting is not allowed.
        """
        if len(self._waiting) < self._most_waiting:
            return
        if not self._waiting:
            raise self._refusal(newcomer)
        hosts = Counter(guest.host for guest in self._waiting)
        longest = max(self._waiting, key=lambda guest: hosts[guest.host])
        del self._waiting[longest]
        if longest.admitted is not None and not longest.admitted.done():
            longest.admitted.set_exception(self._refusal(longest))

    def give(self, guest: Guest) -> None:
        """Give a place back, if the guest has one."""
        if guest not in self._guests:
            return
        del self._guests[guest]
        if not guest.unlimited:
            self._hosts[guest.host] -= 1
            if not self._hosts[guest.host]:
                del self._hosts[guest.host]
        for other in list(self._waiting):
            if self._fits(other):
                self._seat(other)

    def _admit(self, guest: Guest) -> bool:
        if not self._fits(guest):
            leaving = self._idle_one(guest)
            if leaving is None:
                return False
            self._guests.pop(leaving)
            if not leaving.unlimited:
                self._hosts[leaving.host] -= 1
            leaving.dismiss()
        self._seat(guest)
        return True

    def _seat(self, guest: Guest) -> None:
        guest.since = self._clock()
        self._guests[guest] = None
        if not guest.unlimited:
            self._hosts[guest.host] += 1
        self._waiting.pop(guest, None)
        if guest.admitted is not None and not guest.admitted.done():
            guest.admitted.set_result(None)

    def _fits(self, guest: Guest) -> bool:
        return len(self._guests) < self._total and not self._is_full(guest)

    def _is_full(self, guest: Guest) -> bool:
        """Whether the guest's address has all the places that one address may have."""
        return not guest.unlimited and self._hosts[guest.host] >= self._per_host

    def _idle_one(self, newcomer: Guest) -> Guest | None:
        """Choose an idle guest to go for the newcomer; None: there is none."""
        idle = [guest for guest in self._guests if guest.idle()]
        if self._is_full(newcomer):
            idle = [guest for guest in idle if guest.host == newcomer.host]
        hosts = Counter(guest.host for guest in idle)
        now = self._clock()
        able = [
            guest
            for guest in idle
            if now - guest.since >= self._patience_s or hosts[guest.host] > hosts[newcomer.host] + 1
        ]
        return max(able, key=lambda guest: hosts[guest.host], default=None)  # the first is the oldest

    def _refusal(self, guest: Guest) -> LimitExceeded:
        if self._is_full(guest):
            return LimitExceeded(f"too many connections of one address: at most {self._per_host} at a time")
        return LimitExceeded(f"too many connections: at most {self._total} at a time")
