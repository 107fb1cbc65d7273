"""Where engines run: the only module that knows it is on threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Worker:
    """Runs engine calls off the event loop, in the order in which they were asked for.

    One thread by default: an engine is used by one call at a time and needs no locks. A caller awaits one call before
    it asks for the next, so that with many callers each gets its turn.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``call`` on a thread and return what it returns or raise what it raises.

        When the caller is cancelled, the call still ends on its thread; its result is dropped.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: call(*args, **kwargs))

    async def close(self) -> None:
        """Wait for the running call, drop those still waiting. May be called more than once."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
