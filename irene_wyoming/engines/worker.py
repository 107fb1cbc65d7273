"""Worker: the thread that engines run on, off the event loop."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, ParamSpec, Protocol, Self, TypeVar

from irene_wyoming.errors import EngineFailed
from irene_wyoming.metrics import WAIT_SECONDS

log = logging.getLogger(__name__)


class Closable(Protocol):
    def close(self) -> None: ...


P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Closable)


class Call(NamedTuple):
    """A call for the thread."""

    work: Callable[[], Any]
    future: "asyncio.Future[Any] | None"
    """The result, touched only on the loop that asked. None: nobody waits."""
    asked: float
    """Time of the request, by time.perf_counter."""
    owed: bool = False
    """Whether it is done even when the worker closes."""
    closes: bool = False
    """Whether its result is closed where nobody wants it any more."""


class Worker:
    """Runs engine calls off the event loop on one thread, in the order in which they were asked for.

    An engine is used by one call at a time and needs no locks. A caller awaits one call before the next, so that each
    of many callers gets its turn.

    A call that never returns cannot be ended. Callers behind it can be sent away (``send_away``), and the worker can be
    abandoned (``leave``). Its thread does not keep the program from ending.

    A wake server makes 12 to 33 calls a second for every satellite. A queue and a thread cost each of them a third to a
    half of what a ThreadPoolExecutor does, with its futures of two kinds.

    :param name: name of the thread, also in the metrics.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[Call | None] = SimpleQueue()  # None: the end
        self._thread: threading.Thread | None = None  # None before the first call
        self._since: float | None = None  # time.monotonic() at the running call's start; None: none runs
        self._closed = False
        self._left = False
        self._waited = WAIT_SECONDS.labels(name)

    @property
    def running_s(self) -> float:
        """Seconds since the running call began; 0 when none runs."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def idle(self) -> bool:
        """Whether no call runs or waits."""
        return self._calls.empty() and self._since is None

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``call`` on the thread; returns its result or raises its error.

        Cancelling the caller withdraws its call. A call that has begun still ends, and its result is dropped.

        :raises RuntimeError: the worker is closed.
        :raises EngineFailed: ``leave`` was called.
        """
        result: R = await self._ask(partial(call, *args, **kwargs))
        return result

    def post(self, call: Callable[[], None]) -> None:
        """Run ``call``, which must raise nothing, on the thread after earlier calls. May be called from any thread.

        :raises RuntimeError: the worker is closed.
        :raises EngineFailed: ``leave`` was called.
        """
        self._put(call, None)

    async def obtain(self, make: Callable[P, C], *args: P.args, **kwargs: P.kwargs) -> C:
        """Run ``make`` on the thread for a thing that must be closed.

        When the caller is cancelled, the thing is closed once it exists.
        """
        future = self._ask(partial(make, *args, **kwargs), closes=True)
        try:
            made: C = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._close_unwanted(future.result())
            raise
        return made

    def discard(self, thing: Closable) -> None:
        """Close a thing on the thread after earlier calls, even if the worker is closed meanwhile.

        The caller does not wait: a wake-up costs as much as a step of microWakeWord. An abandoned worker does not close
        it.

        :raises RuntimeError: the worker is closed.
        """
        with suppress(EngineFailed):
            self._put(partial(_close, thing), None, owed=True)

    def send_away(self, error: Exception) -> None:
        """Fail all waiting calls with this error. The running call and owed ones go on.

        Call it before ``close`` or ``leave``.
        """
        for call in self._withdrawn():
            if call.owed:
                self._calls.put(call)
            elif call.future is not None:
                _fail(call.future, error)

    def leave(self) -> None:
        """Take no more calls. The thread ends after those that it has, if it ever does; nobody waits for that."""
        self._left = True
        self._calls.put(None)

    async def close(self) -> None:
        """Wait for the running call and discarded things, cancel other calls. May be called more than once."""
        if not self._closed:
            self._closed = True
            for call in self._withdrawn():
                if call.owed:
                    self._calls.put(call)
                elif call.future is not None:
                    call.future.cancel()
            self._calls.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _withdrawn(self) -> list[Call]:
        """Remove and return the calls that have not begun."""
        calls = []
        with suppress(Empty):
            while (call := self._calls.get_nowait()) is not None:
                calls.append(call)
        return calls

    def _ask(self, work: Callable[[], Any], *, closes: bool = False) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._put(work, future, closes=closes)
        return future

    def _put(
        self,
        work: Callable[[], Any],
        future: "asyncio.Future[Any] | None",
        *,
        owed: bool = False,
        closes: bool = False,
    ) -> None:
        if self._left:
            raise EngineFailed(f"{self._name}: the engine has been left behind")
        if self._closed:
            raise RuntimeError(f"the worker {self._name} is closed")
        if self._thread is None:
            # A daemon, so that a program that fails before it closes the worker still ends.
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._calls.put(Call(work, future, time.perf_counter(), owed, closes))

    def _close_unwanted(self, thing: Closable) -> None:
        if self._left or self._closed:  # the thread has ended, or is about to
            threading.Thread(target=_close, args=[thing], name=self._name, daemon=True).start()
        else:
            self.discard(thing)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            if call.future is not None and call.future.cancelled():
                continue
            self._since = time.monotonic()
            self._waited.observe(time.perf_counter() - call.asked)
            self._run(call)
            self._since = None
            del call  # its objects must not live until the next call

    def _run(self, call: Call) -> None:
        if call.future is None:
            call.work()
            return
        try:
            result = call.work()
        except BaseException as error:
            self._tell(call.future, partial(_fail, call.future, error))
            return
        if not call.closes:
            self._tell(call.future, partial(_give, call.future, result))
        elif call.future.cancelled() or not self._tell(call.future, partial(self._give_made, call.future, result)):
            _close(result)

    def _tell(self, future: "asyncio.Future[Any]", answer: Callable[[], None]) -> bool:
        """Answer a future; False: its loop is closed, and nobody waits."""
        try:
            future.get_loop().call_soon_threadsafe(answer)
        except RuntimeError:  # the loop is closed
            return False
        return True

    def _give_made(self, future: "asyncio.Future[Any]", thing: Closable) -> None:
        if future.cancelled():
            self._close_unwanted(thing)
        else:
            future.set_result(thing)


def _close(thing: Closable) -> None:
    try:
        thing.close()
    except Exception:
        log.exception("%r could not be closed", thing)


def _give(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.cancelled():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(error)
