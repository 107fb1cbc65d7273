"""Where engines run: the only module that knows it is on threads."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import ParamSpec, Protocol, Self, TypeVar

from irene_wyoming.metrics import WAIT_SECONDS


class Closable(Protocol):
    def close(self) -> None: ...


P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Closable)


class Worker:
    """Runs engine calls off the event loop, in the order in which they were asked for.

    One thread by default: an engine is used by one call at a time and needs no locks. A caller awaits one call before
    it asks for the next, so that with many callers each gets its turn.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._waited = WAIT_SECONDS.labels(name)

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``call`` on a thread and return what it returns or raise what it raises.

        When the caller is cancelled, the call still ends on its thread; its result is dropped.
        """
        asked = time.perf_counter()

        def take_turn() -> R:
            self._waited.observe(time.perf_counter() - asked)
            return call(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, take_turn)

    async def obtain(self, make: Callable[P, C], *args: P.args, **kwargs: P.kwargs) -> C:
        """As ``run``, for what must be closed: when the caller is cancelled meanwhile, it is closed on its thread."""
        making = asyncio.ensure_future(self.run(make, *args, **kwargs))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(self._close_unwanted)
            raise

    def _close_unwanted(self, made: "asyncio.Future[C]") -> None:
        if not made.cancelled() and made.exception() is None:
            with suppress(RuntimeError):  # the worker itself has been closed, and everything with it
                self._pool.submit(made.result().close)

    async def close(self) -> None:
        """Wait for the running call, drop those still waiting. May be called more than once."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
