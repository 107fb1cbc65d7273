"""Keeper: makes one engine, loads its model and lets it go, and brings it back after a hang or crash."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from enum import Enum
from typing import TypeVar

from irene_wyoming import metrics
from irene_wyoming.engines.asr.lifecycle import Loadable, killable
from irene_wyoming.engines.base import AsrEngine, ModelInfo
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineBusy, EngineError, EngineFailed, EngineUnavailable, IreneError

log = logging.getLogger(__name__)

R = TypeVar("R")

LEFT_BEHIND = 3
"""Most hanging threads of one engine. Each holds a model in memory, and none can be stopped."""

RELOAD_S, RELOAD_MOST_S = 1.0, 60.0
"""Seconds before an engine is made anew: the first time, and at most."""

LOOK_EVERY_S = 10.0
"""Seconds between checks whether a model is idle; the limits for that are minutes."""

CLOSE_S = 2.0
"""Seconds that an engine gets to close itself. A server is killed 4 s after it was asked to stop."""


class State(Enum):
    """The condition of an engine."""

    ABSENT = "absent"
    """The engine has not been made yet, or was given back."""
    READY = "ready"
    """The engine can be called. Its model may still have to be loaded."""
    HANGS = "hangs"
    """One of the engine's calls has taken too long. The engine is waited for."""
    ANEW = "anew"
    """The engine is being made anew, again and again until that succeeds."""


class Keeper:
    """Keeps one engine and the worker that it runs on.

    An engine that hangs is waited for. When its call has run for ``longest_s``, a process is killed, and the engine is
    made anew. A thread cannot be ended: it is left behind with its engine, and a new one is made.

    :param name: the provider's name.
    :param make: makes the engine, which may be slow; raises EngineError.
    :param longest_s: seconds after which a call that still runs hangs.
    :param patience_s: seconds that a call may hang before its thread is left behind, if more than ``longest_s``.
    :param reload_s: seconds before the engine is first made anew; doubled until ``answered``.
    """

    def __init__(
        self, name: str, make: Callable[[], AsrEngine], longest_s: float, patience_s: float, reload_s: float
    ) -> None:
        self.name = name
        self.longest_s = longest_s
        self.state = State.ABSENT
        self.worker = Worker(name)
        self._make = make
        self._patience_s = max(longest_s, patience_s)
        self._engine: AsrEngine | None = None
        self._models: Sequence[ModelInfo] = ()
        self._left: list[Worker] = []  # workers that were left behind with a hanging call
        self._tasks: dict[str, asyncio.Task[None]] = {}  # at most one of each kind
        self._news = asyncio.Event()  # set when the state changes or an attempt to make the engine fails
        self._hopeless: EngineError | None = None  # why the last attempt to make the engine anew failed
        self._first_reload_s = self._reload_s = reload_s
        self._told = ""  # the failure that was logged last

    @property
    def engine(self) -> AsrEngine:
        """The engine, or EngineFailed raised where there is none at present."""
        if self._engine is None:
            raise EngineFailed(f"{self.name}: is not there")
        return self._engine

    def models(self) -> Sequence[ModelInfo]:
        """The models that the engine has, or had before it failed."""
        if self._engine is not None:
            self._models = self._engine.models()
        return self._models

    async def start(self) -> None:
        """Make the engine. Its model is loaded in the background if the engine can do that.

        :raises EngineError: it cannot be made.
        """
        self._engine = await self._own(self.worker.obtain(self._make))
        self.models()
        self._tasks.pop("load", None)  # the load task of an earlier engine
        self._turn(State.READY)
        metrics.PROVIDER_UP.labels("asr", self.name).set(1)
        if isinstance(self._engine, Loadable):
            self._load(self._engine)
            self._task("unload", self._unload_when_idle)

    async def ready(self, within_s: float, *, patient: bool) -> AsrEngine:
        """The engine with its model in memory.

        :param within_s: seconds to wait at most.
        :param patient: also wait for an engine that hangs or is being made anew.
        :raises EngineError: it is not available in time.
        """
        if self.state is not State.READY:
            if not patient:
                raise EngineFailed(f"{self.name}: {SAID[self.state]}")
            began = time.monotonic()
            await self._back(within_s)
            within_s -= time.monotonic() - began
        engine = self.engine
        if isinstance(engine, Loadable) and not engine.loaded:
            await asyncio.wait([loading := self._load(engine)], timeout=max(0.0, within_s))
            if not loading.done():
                raise EngineUnavailable(f"{self.name}: its model is still being loaded")
            await loading
        return engine

    async def load(self) -> None:
        """Load the model now, for example after its files were fetched.

        :raises EngineError: the model cannot be loaded.
        """
        engine = self._engine
        if isinstance(engine, Loadable) and not engine.loaded:
            await asyncio.wait([loading := self._load(engine)])
            await loading

    async def unload_unused(self, for_s: float) -> bool:
        """Unload the model if it has not been used for this many seconds; says whether it did."""
        engine = self._engine
        if not isinstance(engine, Loadable) or not engine.loaded:
            return False
        with suppress(EngineError):  # the engine hangs at present, or is being made anew
            return await self.worker.run(engine.unload_unused, for_s)
        return False

    def hangs(self) -> None:
        """Take note that a call of the engine has taken too long."""
        if self.state is State.READY:
            self._turn(State.HANGS)
            self._task("mend", self._free)

    def watch(self) -> None:
        """Watch a running call that nobody waits for any more, until it returns or hangs."""
        self._task("watch", self._watch)

    def may_have_ended(self) -> None:
        """Take note of a failed call. If the engine's process has ended, the engine is made anew."""
        process = killable(self._engine)
        if process is not None and not process.alive and self.state is State.READY:
            self._turn(State.ANEW)
            self._task("mend", self._anew)

    def answered(self) -> None:
        """Take note that the engine works again."""
        self._reload_s = self._first_reload_s
        self._told = ""
        metrics.PROVIDER_UP.labels("asr", self.name).set(1)

    async def close(self) -> None:
        """Give back the engine and all threads that return. May be called more than once."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())
        self._turn(State.ABSENT)
        engine, self._engine = self._engine, None
        if engine is not None:
            if (process := killable(engine)) is not None and not self.worker.idle:
                process.kill()
            with suppress(TimeoutError, EngineError):
                async with asyncio.timeout(CLOSE_S):
                    await self.worker.run(engine.close)
        self.worker.leave()

    def _turn(self, state: State) -> None:
        self.state = state
        self._news.set()

    def _task(self, kind: str, work: Callable[[], Coroutine[None, None, None]]) -> "asyncio.Task[None]":
        """Do work in the background, unless work of this kind runs already. Failures are logged."""
        task = self._tasks.get(kind)
        if task is None or task.done():
            task = self._tasks[kind] = asyncio.create_task(work(), name=f"{kind} {self.name}")
            task.add_done_callback(self._tell)
        return task

    def _tell(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            trace = None if isinstance(error, IreneError) else error
            again = str(error) == self._told  # as for each utterance until a missing model has come
            self._told = str(error)
            log.log(logging.DEBUG if again else logging.WARNING, "asr: %s: %s", self.name, error, exc_info=trace)

    async def _back(self, within_s: float) -> None:
        """Wait for an engine that hangs or is being made anew.

        :raises EngineError: it does not come back in time, or cannot be made anew.
        """
        try:
            async with asyncio.timeout(within_s):
                while self.state is not State.READY:
                    if self._hopeless is not None:
                        raise EngineUnavailable(f"{self.name}: cannot be started anew: {self._hopeless}")
                    if self.state is State.ABSENT:
                        raise EngineFailed(f"{self.name}: {SAID[self.state]}")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise EngineBusy(f"{self.name}: {SAID[self.state]}") from None

    def _load(self, engine: Loadable) -> "asyncio.Task[None]":
        async def load() -> None:
            await self._own(self.worker.run(engine.load))

        return self._task("load", load)

    async def _own(self, slow: Awaitable[R]) -> R:
        """Wait without a limit for a call of the engine.

        :raises IreneError: as the call does; anything else becomes EngineFailed.
        """
        try:
            return await slow
        except IreneError:
            raise
        except Exception as error:  # an engine is foreign code
            raise EngineFailed(f"{self.name}: {type(error).__name__}: {error}") from error

    async def _unload_when_idle(self) -> None:
        """Unload the model whenever it has not been used for long enough."""
        while True:
            engine = self._engine
            idle_in = engine.idle_in() if isinstance(engine, Loadable) else None
            if idle_in == 0 and isinstance(engine, Loadable):
                with suppress(EngineError):  # the engine hangs at present, or is being made anew
                    await self.worker.run(engine.unload_if_idle)
            await asyncio.sleep(LOOK_EVERY_S if not idle_in else min(idle_in, LOOK_EVERY_S))

    async def _watch(self) -> None:
        """Wait until the worker rests; a call that runs too long is declared to hang."""
        while self.state is State.READY and (running_s := self.worker.running_s):
            if running_s >= self.longest_s:
                self.hangs()
            else:
                await asyncio.sleep(self.longest_s - running_s)

    async def _free(self) -> None:
        """Wait for a hanging call; when it takes too long, go on without its thread."""
        worker, process = self.worker, killable(self._engine)
        worker.send_away(EngineBusy(f"{self.name}: waited behind a call that hangs"))
        if process is not None:
            if await comes_back(worker, self.longest_s - worker.running_s):
                if process.alive:
                    self._turn(State.READY)
                    return
            else:
                log.warning("asr: %s hangs: its process is killed", self.name)
                process.kill()
        else:
            if await self._comes_back_or_may_be_left(worker):
                self._turn(State.READY)
                return
            self._leave_behind(worker)
        self._turn(State.ANEW)
        await self._anew()

    async def _comes_back_or_may_be_left(self, worker: Worker) -> bool:
        """Wait for a hanging call. True: it has returned. False: it has not, and its thread may be left behind."""
        patience_s = self._patience_s - worker.running_s
        while True:
            if await comes_back(worker, patience_s):
                return True
            self._left = [left for left in self._left if not left.idle]
            if len(self._left) < LEFT_BEHIND:
                return False
            log.error("asr: %s hangs in %d threads: not asked until one comes back", self.name, LEFT_BEHIND + 1)
            patience_s = self._patience_s

    def _leave_behind(self, worker: Worker) -> None:
        """Leave the hanging thread with its engine, and go on with a new one."""
        log.warning("asr: %s hangs: its thread is left behind", self.name)
        worker.send_away(EngineBusy(f"{self.name}: waited behind a call that hangs"))
        worker.discard(self.engine)
        worker.leave()
        self._left.append(worker)
        self.worker = Worker(self.name)

    async def _anew(self) -> None:
        """Make the engine anew, again and again until that succeeds."""
        self.models()
        self.worker.discard(self.engine)  # once more on a new worker, as before on the old one
        self._engine = None
        while self._engine is None:
            delay_s, self._reload_s = self._reload_s, min(2 * self._reload_s, RELOAD_MOST_S)
            log.info("asr: %s is started anew in %g s", self.name, delay_s)
            await asyncio.sleep(delay_s)
            try:
                await self.start()
            except EngineError as error:
                log.warning("asr: %s: %s", self.name, error)
                self._hopeless = error
                self._news.set()
        self._hopeless = None


SAID = {
    State.ABSENT: "is not there",
    State.READY: "is there",
    State.HANGS: "hangs",
    State.ANEW: "is being started anew",
}
"""The words for each state in messages to clients."""


async def comes_back(worker: Worker, patience_s: float) -> bool:
    """Whether the worker becomes free again within ``patience_s`` seconds."""
    try:
        async with asyncio.timeout(max(0.0, patience_s)):
            await worker.run(int)  # a call that does nothing
    except TimeoutError:
        return False
    return True
