"""Admission: how many utterances are heard at once, how many wait, and who is told at once to try again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from irene_wyoming.errors import LimitExceeded


class Admission:
    """Turns in the order in which they were asked for.

    :param at_once: utterances that are worked on at a time.
    :param waiting: utterances that may wait for their turn besides; 0: none.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._places = at_once + waiting
        self._at_once = at_once
        self._taken = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and keep it as long as the context lasts.

        :raises LimitExceeded: at once, when too many wait already.
        """
        if self._taken >= self._places:
            waiting = self._places - self._at_once
            raise LimitExceeded(
                f"too many people speak at once: {self._at_once} are heard and {waiting} wait already; try again"
            )
        self._taken += 1
        try:
            async with self._turns:
                yield
        finally:
            self._taken -= 1
