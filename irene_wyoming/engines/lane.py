"""Lane: the thread of one engine, where a call that never comes back can be left behind."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from irene_wyoming.errors import EngineFailed

P = ParamSpec("P")
R = TypeVar("R")


class Lane:
    """Runs calls off the event loop, one at a time, in the order in which they were asked for.

    Unlike a Worker's, its thread never keeps the program from ending, and those who wait behind a call that hangs can
    be sent away.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._wake = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._since: float | None = None  # time.monotonic() at which the running call began; None: there is none
        self._closed = False
        self._thread: threading.Thread | None = None  # None before the first call

    @property
    def running_s(self) -> float:
        """Seconds since the running call began; 0 when there is none."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def idle(self) -> bool:
        return self._since is None and not self._waiting

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``call`` on the thread and return what it returns or raise what it raises.

        A caller that is cancelled takes its call back, unless that has begun; then its result is dropped.

        :raises EngineFailed: the lane is closed.
        """
        job = Job(lambda: call(*args, **kwargs), awaited=True)
        self._put(job)
        result: R = await asyncio.wrap_future(job.future)
        return result

    def post(self, call: Callable[[], object]) -> None:
        """Run ``call`` in its turn; nobody waits for it. A closed lane drops it."""
        with suppress(EngineFailed):
            self._put(Job(call, awaited=False))

    def send_away(self, error: Exception) -> None:
        """Those who wait with ``run`` get this error instead of their turn; the running call goes on."""
        with self._wake:
            away = [job for job in self._waiting if job.awaited]
            self._waiting = deque(job for job in self._waiting if not job.awaited)
        for job in away:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(error)

    def close(self) -> None:
        """Take no more calls; the thread ends after those that it has. May be called more than once."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def _put(self, job: "Job") -> None:
        """:raises EngineFailed: the lane is closed."""
        with self._wake:
            if self._closed:
                raise EngineFailed(f"{self._name}: the engine has been left behind")
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._wake.notify()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.run()
            self._since = None
            del job  # a result must not live until the next call

    def _next(self) -> "Job | None":
        """The next call; waits for one. None: the lane is closed."""
        with self._wake:
            while not self._waiting:
                if self._closed:
                    return None
                self._wake.wait()
            self._since = time.monotonic()
            return self._waiting.popleft()


@dataclass(frozen=True, slots=True)
class Job:
    """One call and its result."""

    call: Callable[[], Any]
    awaited: bool
    """Somebody waits for the result."""
    future: "Future[Any]" = field(default_factory=Future)

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.call())
        except BaseException as error:  # whatever it is, it is the caller's
            self.future.set_exception(error)
