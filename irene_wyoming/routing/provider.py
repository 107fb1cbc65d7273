"""Provider: one engine as a router sees it, with its thread, its deadline, and a way back after it has failed."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from typing import ParamSpec, Protocol, TypeVar, runtime_checkable

from irene_wyoming import metrics
from irene_wyoming.engines.base import AsrEngine, AsrRequest, AsrSession, ModelInfo, PausingSession, Transcription
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import (
    EngineError,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    IreneError,
    UnknownModel,
    UnsupportedRequest,
)
from irene_wyoming.routing.policy import Breaker, Standing

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

LEFT_BEHIND = 3
"""Threads of one engine that may hang at a time. Each holds a model in memory, and none can be stopped."""

RELOAD_S, RELOAD_MOST_S = 1.0, 60.0
"""Seconds before an engine is made anew: the first time, and at most."""

LOOK_EVERY_S = 10.0
"""Seconds between looks at whether a model is idle; it is to be so for minutes."""

CLOSE_S = 2.0
"""What an engine gets to close itself. A server is made to end 4 s after it was asked to."""


@runtime_checkable
class Loadable(Protocol):
    """An engine that loads its model when asked to, and lets it go again."""

    @property
    def engine(self) -> AsrEngine | None: ...

    @property
    def loaded(self) -> bool: ...

    def load(self) -> None: ...

    def idle_in(self) -> float | None: ...

    def unload_if_idle(self) -> bool: ...

    def unload_unused(self, for_s: float) -> bool: ...


@runtime_checkable
class Killable(Protocol):
    """An engine in a process of its own."""

    @property
    def alive(self) -> bool: ...

    def kill(self) -> None:
        """End the process now, from whatever thread: the running call fails."""


class Provider:
    """Calls its engine on a thread of its own, one call at a time, each within a deadline.

    A call that does not come back is given up. The engine is then left alone until the call does return; where it does
    not, a process is killed, a thread left behind, and the engine loaded anew.

    :param make: makes the engine; slow. Raises EngineError.
    :param deadline_s: what the engine gets for a transcript after the end of the audio, and for any one call before it.
    :param finds_speech: the engine wants all of the audio; False: not the silence before and after speech.
    :param patience_s: how long a thread that hangs is waited for before it is left behind.
    :param reload_s: before the engine is made anew the first time; doubled until it gives a transcript again.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], AsrEngine],
        deadline_s: float,
        breaker: Breaker,
        *,
        finds_speech: bool = False,
        patience_s: float = 30.0,
        reload_s: float = RELOAD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.deadline_s = deadline_s
        self.finds_speech = finds_speech
        self.busy = 0
        self._make = make
        self._breaker = breaker
        self._patience_s = patience_s
        self._clock = clock
        self._worker = Worker(name)
        self._engine: AsrEngine | None = None  # None while it is not there: not made yet, or being mended
        self._models: Sequence[ModelInfo] = ()
        self._left: list[Worker] = []  # workers whose call has not come back
        self._loading: asyncio.Task[None] | None = None
        self._unloading: asyncio.Task[None] | None = None
        self._mending: asyncio.Task[None] | None = None
        self._first_reload_s = self._reload_s = reload_s

    @property
    def engine(self) -> AsrEngine:
        """:raises EngineFailed: it is not there."""
        if self._engine is None:
            raise EngineFailed(f"{self.name}: is not there")
        return self._engine

    def models(self) -> Sequence[ModelInfo]:
        """As the engine says, or last said."""
        if self._engine is not None:
            self._models = self._engine.models()
        return self._models

    @property
    def standing(self) -> Standing:
        ready = self._engine is not None and self._mending is None and self._breaker.allows(self._clock())
        return Standing(self.name, ready, self.busy)

    async def start(self) -> None:
        """Make the engine. One that loads its model by itself does so in the background from here on.

        :raises EngineError: it cannot be had.
        """
        self._loading = None  # that of an engine before, if any
        self._engine = await self._own(self._make)
        self.models()
        metrics.PROVIDER_UP.labels("asr", self.name).set(1)
        if isinstance(self._engine, Loadable):
            self._load_in_background(self._engine)
            if self._unloading is None:
                self._unloading = asyncio.create_task(self._unload_when_idle(), name=f"unload {self.name}")

    async def unload_unused(self, for_s: float) -> bool:
        """Let the model go if it has been without work for so long, seconds; says whether it did."""
        engine = self._engine
        if self.busy or not isinstance(engine, Loadable) or not engine.loaded:
            return False
        with suppress(EngineError):  # it hangs just now, or is being made anew
            return await self._worker.run(lambda: engine.unload_unused(for_s))
        return False

    @asynccontextmanager
    async def session(self, request: AsrRequest, within_s: Callable[[], float]) -> AsyncIterator["ProviderSession"]:
        """One utterance.

        :param within_s: how long a call that begins now may take, seconds.
        :raises EngineError: the engine fails, or the request cannot be met.
        """
        if self._mending is not None:
            raise EngineFailed(f"{self.name}: hangs, or is being started anew")
        await self._loaded(within_s())
        self._breaker.asked(self._clock())
        self.busy += 1
        try:
            worker = self._worker
            session = await self._open(worker, request, within_s())
            try:
                yield ProviderSession(self, worker, session, within_s)
            finally:
                worker.discard(session)
        finally:
            self.busy -= 1

    async def call(
        self, worker: Worker, within_s: float, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """:raises EngineError: as the engine does; EngineFailed: something else went wrong, or it took too long."""
        begun = False

        def begin() -> R:
            nonlocal begun
            begun = True
            return function(*args, **kwargs)

        try:
            async with asyncio.timeout(within_s):
                return await worker.run(begin)
        except TimeoutError:
            if begun and worker is self._worker:
                self._mend(self._free)
            raise EngineTimeout(f"{self.name}: no answer within {self.deadline_s:g} s") from None
        except EngineError:
            raise
        except Exception as error:  # an engine is foreign code: its bug costs it this utterance, and nobody else
            raise EngineFailed(f"{self.name}: {type(error).__name__}: {error}") from error

    def succeeded(self) -> None:
        self._breaker.succeeded()
        self._reload_s = self._first_reload_s
        metrics.PROVIDER_UP.labels("asr", self.name).set(1)

    def failed(self, error: EngineError) -> None:
        """Take note of a failure; a request that cannot be met is none."""
        if isinstance(error, UnknownModel | UnsupportedRequest):
            return
        metrics.PROVIDER_FAILURES.labels("asr", self.name, error.code).inc()
        self._breaker.failed(self._clock(), at_once=isinstance(error, EngineTimeout))
        if self._breaker.open:
            metrics.PROVIDER_UP.labels("asr", self.name).set(0)
        process = killable(self._engine)
        if process is not None and not process.alive:
            self._mend(self._reload)

    async def close(self) -> None:
        """Give everything back that comes back. May be called more than once."""
        for task in (self._mending, self._loading, self._unloading):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        engine, self._engine = self._engine, None
        if engine is not None:
            if (process := killable(engine)) is not None and not self._worker.idle:
                process.kill()
            with suppress(TimeoutError, EngineError):
                async with asyncio.timeout(CLOSE_S):
                    await self._worker.run(engine.close)
        self._worker.leave()

    async def _open(self, worker: Worker, request: AsrRequest, within_s: float) -> AsrSession:
        """A session; when nobody waits for it any more, it is closed as soon as it is there."""
        engine = self.engine
        opened = ExitStack()

        def open_session() -> AsrSession:
            return opened.enter_context(closing(engine.session(request)))

        try:
            return await self.call(worker, within_s, open_session)
        except BaseException:
            worker.discard(opened)  # after it, on the same thread
            raise

    async def _loaded(self, within_s: float) -> None:
        """Wait for a model that is not in memory.

        :raises EngineError: it cannot be loaded, or not in time.
        """
        engine = self.engine
        if not isinstance(engine, Loadable) or engine.loaded:
            return
        loading = self._load_in_background(engine)
        try:
            async with asyncio.timeout(within_s):
                await asyncio.shield(loading)
        except TimeoutError:
            raise EngineUnavailable(f"{self.name}: its model is still being loaded") from None

    def _load_in_background(self, engine: Loadable) -> "asyncio.Task[None]":
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._own(engine.load), name=f"load {self.name}")
            self._loading.add_done_callback(self._has_loaded)
        return self._loading

    def _has_loaded(self, loading: "asyncio.Task[None]") -> None:
        if not loading.cancelled() and (error := loading.exception()) is not None:
            log.warning("asr: %s: %s", self.name, error)

    async def _own(self, slow: Callable[[], R]) -> R:
        """Run something on the worker that has no deadline.

        :raises IreneError: as it does; EngineFailed: whatever else goes wrong.
        """
        try:
            return await self._worker.run(slow)
        except IreneError:
            raise
        except Exception as error:  # as in call
            raise EngineFailed(f"{self.name}: {type(error).__name__}: {error}") from error

    async def _unload_when_idle(self) -> None:
        """Let the model go whenever nobody has used it for long enough."""
        while True:
            engine = self._engine
            idle_in = engine.idle_in() if isinstance(engine, Loadable) else None
            if idle_in == 0 and isinstance(engine, Loadable):
                with suppress(EngineError):  # it hangs just now, or is being made anew
                    await self._worker.run(engine.unload_if_idle)
            await asyncio.sleep(LOOK_EVERY_S if not idle_in else min(idle_in, LOOK_EVERY_S))

    def _mend(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Have the engine brought back, unless that is being done."""
        if self._mending is None:
            self._mending = asyncio.create_task(work(), name=f"mend {self.name}")
            self._mending.add_done_callback(self._mended)

    def _mended(self, task: "asyncio.Task[None]") -> None:
        self._mending = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("asr: %s cannot be started anew", self.name, exc_info=error)

    async def _free(self) -> None:
        """A call has taken too long: wait for it for a while, then make do without it."""
        worker, process = self._worker, killable(self._engine)
        worker.send_away(EngineFailed(f"{self.name}: waited behind a call that hangs"))
        if process is not None:
            if await comes_back(worker, max(0.0, self.deadline_s - worker.running_s)):
                return
            log.warning("asr: %s hangs: its process is killed", self.name)
            process.kill()
        else:
            if await self._comes_back_or_may_be_left(worker):
                return
            self._leave_behind(worker)
        await self._reload()

    async def _comes_back_or_may_be_left(self, worker: Worker) -> bool:
        """True: it has come back. False: it has not, and there are not too many like it yet."""
        while True:
            if await comes_back(worker, self._patience_s):
                return True
            self._left = [left for left in self._left if not left.idle]
            if len(self._left) < LEFT_BEHIND:
                return False
            log.error("asr: %s hangs in %d threads: not asked until one comes back", self.name, LEFT_BEHIND + 1)

    def _leave_behind(self, worker: Worker) -> None:
        """Go on with another thread."""
        log.warning("asr: %s hangs: its thread is left behind", self.name)
        worker.discard(self.engine)
        worker.leave()
        self._left.append(worker)
        self._worker = Worker(self.name)

    async def _reload(self) -> None:
        """Make the engine anew, again and again until that succeeds."""
        self.models()
        self._worker.discard(self.engine)  # where the worker is a new one: once more, as it was on the old
        self._engine = None
        while self._engine is None:
            delay_s, self._reload_s = self._reload_s, min(2 * self._reload_s, RELOAD_MOST_S)
            log.info("asr: %s is started anew in %g s", self.name, delay_s)
            await asyncio.sleep(delay_s)
            try:
                await self.start()
            except EngineError as error:
                log.warning("asr: %s: %s", self.name, error)


def killable(engine: AsrEngine | None) -> Killable | None:
    """The engine's process; None: it has none at the moment."""
    if isinstance(engine, Loadable):
        engine = engine.engine
    return engine if isinstance(engine, Killable) else None


class ProviderSession:
    """One utterance with one provider."""

    def __init__(self, provider: Provider, worker: Worker, session: AsrSession, within_s: Callable[[], float]) -> None:
        self._provider = provider
        self._worker = worker
        self._session = session
        self._within_s = within_s
        self.worked_s = 0.0
        """Seconds that the engine has worked on this utterance."""
        self.heard = False
        """The engine has been given audio."""

    async def push(self, pcm: bytes) -> str | None:
        """Take audio, and say what has been understood so far, where the engine can.

        :raises EngineFailed: the session is of no use any more.
        """
        self.heard = True
        return await self._timed(self._push, pcm)

    async def pause(self) -> None:
        """The person has paused.

        :raises EngineFailed: the session is of no use any more.
        """
        if isinstance(self._session, PausingSession):
            await self._timed(self._session.pause)

    async def finish(self) -> Transcription:
        """:raises EngineFailed: the session is of no use any more."""
        return await self._timed(self._session.finish)

    def _push(self, pcm: bytes) -> str | None:
        self._session.push(pcm)
        return self._session.partial()

    async def _timed(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        def timed() -> R:
            started = time.monotonic()
            try:
                return function(*args, **kwargs)
            finally:
                self.worked_s += time.monotonic() - started

        return await self._provider.call(self._worker, self._within_s(), timed)


async def comes_back(worker: Worker, patience_s: float) -> bool:
    """Whether the worker is free again within so many seconds."""
    try:
        async with asyncio.timeout(patience_s):
            await worker.run(int)  # a call that does nothing
    except TimeoutError:
        return False
    return True
