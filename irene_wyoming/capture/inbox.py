"""Inbox: a queue from a thread that must not wait to the event loop."""

import asyncio
import contextlib
from collections import deque
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """Bounded queue that one other thread fills and one task iterates.

    Where the loop does not keep up, the oldest item is lost and counted. The thread never waits, and nothing piles up,
    not even in the loop's own queue of calls.
    """

    def __init__(self, capacity: int) -> None:
        """Make an inbox on the event loop that will iterate it."""
        self.dropped = 0
        self._loop = asyncio.get_running_loop()
        self._items: deque[T] = deque(maxlen=capacity)
        self._ended = False
        self._called = False  # the loop has been asked to look, and has not done so yet
        self._news = asyncio.Event()

    def put(self, item: T) -> None:
        """Queue an item. Called from the other thread."""
        if len(self._items) == self._items.maxlen:
            self.dropped += 1
        self._items.append(item)
        self._call()

    def end(self) -> None:
        """End the iteration after the queued items. Called from any thread."""
        self._ended = True
        self._call()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            self._news.clear()
            with contextlib.suppress(IndexError):
                return self._items.popleft()
            if self._ended:
                raise StopAsyncIteration
            await self._news.wait()

    def _call(self) -> None:
        if not self._called:
            self._called = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody will read the item
                self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        self._called = False  # reset before the reader looks, so that a later item asks again
        self._news.set()
