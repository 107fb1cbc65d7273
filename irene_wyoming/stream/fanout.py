"""FanOut: one writer, many readers, each with a bounded queue of its own."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Subscription(Generic[T]):
    """One reader's queue. Iterate it from one task; leave its context, or close it, when done.

    The iteration ends when the fan-out closes, after what is queued, or when the subscription itself is closed.
    """

    def __init__(self, capacity: int, on_close: Callable[["Subscription[T]"], None]) -> None:
        if capacity < 1:
            raise ValueError(f"capacity {capacity}: a reader needs room for at least one item")
        self.capacity = capacity
        self.delivered = 0
        self.dropped = 0
        """Items lost because this reader was too slow; always its oldest."""
        self._queue: deque[T] = deque()
        self._on_close = on_close
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None  # None: nobody waits for the next item

    @property
    def queued(self) -> int:
        return len(self._queue)

    def offer(self, item: T) -> None:
        """For the fan-out: queue an item, at the cost of the oldest where there is no room."""
        if self._ended:
            return
        if len(self._queue) == self.capacity:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(item)
        self._wake()

    def end(self) -> None:
        """For the fan-out: nothing more will come."""
        self._ended = True
        self._wake()

    def close(self) -> None:
        """Leave: drop what is queued, take nothing more."""
        self._queue.clear()
        self.end()
        self._on_close(self)

    def take(self) -> list[T]:
        """What is queued now, without waiting for more."""
        items = list(self._queue)
        self._queue.clear()
        self.delivered += len(items)
        return items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._queue:
            if self._ended:
                raise StopAsyncIteration
            await self._wait()
        self.delivered += 1
        return self._queue.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("a subscription has one reader: subscribe once per task")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class FanOut(Generic[T]):
    """Gives every item to every reader. Publishing never waits: a slow reader loses its own oldest items.

    For one event loop. ``on_empty`` is called when the last reader has left.
    """

    def __init__(self, on_empty: Callable[[], None] | None = None) -> None:
        self._subscriptions: list[Subscription[T]] = []
        self._on_empty = on_empty
        self._closed = False

    @property
    def readers(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, capacity: int) -> Subscription[T]:
        """Open a queue of ``capacity`` items for what is published from now on; after ``close`` it is at its end."""
        subscription = Subscription[T](capacity, self._leave)
        if self._closed:
            subscription.end()
        else:
            self._subscriptions.append(subscription)
        return subscription

    def publish(self, item: T) -> None:
        for subscription in self._subscriptions:
            subscription.offer(item)

    def close(self) -> None:
        """End every reader after what it has queued."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end()

    def _leave(self, subscription: Subscription[T]) -> None:
        if subscription not in self._subscriptions:
            return
        self._subscriptions.remove(subscription)
        if not self._subscriptions and self._on_empty is not None:
            self._on_empty()
