"""Admission: how many utterances engines work on at once, how many wait, and which are refused at once."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from irene_wyoming.errors import LimitExceeded


class Admission:
    """Gives turns in the order of requests, and places to utterances that wait for their transcript.

    A turn is for one call of an engine, so an utterance holds none while its speaker talks or pauses.

    :param at_once: utterances that engines work on at a time.
    :param waiting: complete utterances that may wait besides; 0: none.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._at_once = at_once
        self._waiting = waiting
        self._taken = 0

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for a turn, and keep it as long as the context lasts."""
        return self._turns

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """Offer a place that can be taken; the end of the context gives it back."""
        place = Place(self)
        try:
            yield place
        finally:
            place.close()

    def take(self) -> None:
        """Take a place, or raise LimitExceeded where too many wait already."""
        if self._taken >= self._at_once + self._waiting:
            raise LimitExceeded(
                f"too many people speak at once: {self._at_once} are heard and {self._waiting} wait already; try again"
            )
        self._taken += 1

    def give_back(self) -> None:
        self._taken -= 1


class Place:
    """One utterance's place in an Admission."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._taken = False
        self._closed = False

    def take(self) -> None:
        """Take the place, unless it is taken already or the context has ended.

        :raises LimitExceeded: too many wait already.
        """
        if not self._taken and not self._closed:
            self._admission.take()
            self._taken = True

    def close(self) -> None:
        """Give the place back, if it was taken."""
        self._closed = True
        if self._taken:
            self._taken = False
            self._admission.give_back()
