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

    def __init__(self, capacity: int, fanout: "FanOut[T]") -> None:
        if capacity < 1:
            raise ValueError(f"capacity {capacity}: a reader needs room for at least one item")
        self.capacity = capacity
        self.delivered = 0
        self.queue: deque[T] = deque(maxlen=capacity)
        """The queue, which the fan-out fills; an item beyond the capacity pushes the oldest out."""
        self._fanout = fanout
        self._since = fanout.published  # number of items published before this subscription
        self._until: int | None = None  # number of items published until its end; None: it is open
        self._left = 0  # items that were still queued when the fan-out closed
        self._waiting = False

    @property
    def queued(self) -> int:
        return len(self.queue)

    @property
    def dropped(self) -> int:
        """Items lost because this reader was too slow; always its oldest."""
        offered = (self._fanout.published if self._until is None else self._until) - self._since
        return offered - self.delivered - len(self.queue) - self._left

    def end(self) -> None:
        """Called by the fan-out: nothing more will be published to this reader."""
        if self._until is None:
            self._until = self._fanout.published

    def close(self) -> None:
        """Leave: drop what is queued, take nothing more."""
        self._left += len(self.queue)
        self.queue.clear()
        self.end()
        self._fanout.leave(self)

    def take(self) -> list[T]:
        """Take all queued items without waiting for more."""
        items = list(self.queue)
        self.queue.clear()
        self.delivered += len(items)
        return items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self.queue:
            if self._until is not None:
                raise StopAsyncIteration
            await self._wait()
        self.delivered += 1
        return self.queue.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _wait(self) -> None:
        if self._waiting:
            raise RuntimeError("a subscription has one reader: subscribe once per task")
        self._waiting = True
        try:
            await self._fanout.changed()
        finally:
            self._waiting = False


class FanOut(Generic[T]):
    """Gives every item to every reader. Publishing never waits: a slow reader loses its own oldest items.

    For one event loop. ``on_empty`` is called when the last reader has left.
    """

    def __init__(self, on_empty: Callable[[], None] | None = None) -> None:
        self.published = 0
        """Number of items published so far."""
        self._queues: dict[Subscription[T], deque[T]] = {}
        self._on_empty = on_empty
        self._closed = False
        self._waiters: list[asyncio.Future[None]] = []  # futures of readers that have read everything

    @property
    def readers(self) -> int:
        return len(self._queues)

    def subscribe(self, capacity: int) -> Subscription[T]:
        """Open a queue of ``capacity`` items for what is published from now on; after ``close`` it is at its end."""
        subscription = Subscription[T](capacity, self)
        if self._closed:
            subscription.end()
        else:
            self._queues[subscription] = subscription.queue
        return subscription

    def publish(self, item: T) -> None:
        if self._closed:
            return
        self.published += 1
        for queue in self._queues.values():
            queue.append(item)
        self._wake()

    def close(self) -> None:
        """End every reader's iteration after the items that it has queued."""
        self._closed = True
        for subscription in self._queues:
            subscription.end()
        self._wake()

    def leave(self, subscription: Subscription[T]) -> None:
        """Called by a closed subscription: offer it nothing more."""
        if self._queues.pop(subscription, None) is None:
            return
        self._wake()
        if not self._queues and self._on_empty is not None:
            self._on_empty()

    async def changed(self) -> None:
        """Called by a subscription: wait until an item is published or a reader's stream ends."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
