"""Provider: one engine as a router sees it. Each call has a deadline, and an engine that fails is left alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from typing import ParamSpec, TypeVar

from irene_wyoming import metrics
from irene_wyoming.engines.asr.lifecycle import PausingSession
from irene_wyoming.engines.base import AsrEngine, AsrRequest, AsrSession, ModelInfo, Transcription
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import (
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    UnknownModel,
    UnsupportedRequest,
)
from irene_wyoming.language.vocabulary import Vocabulary
from irene_wyoming.routing.keeper import RELOAD_S, Keeper, State
from irene_wyoming.routing.mending import Mending
from irene_wyoming.routing.policy import Breaker, Standing
from irene_wyoming.tags import primary

P = ParamSpec("P")
R = TypeVar("R")

NO_FAULT_OF_THE_ENGINE = (UnknownModel, UnsupportedRequest, EngineBusy)
"""Errors that are not the engine's fault."""


class Provider:
    """Calls its engine on a thread of its own, one call at a time, each within a deadline.

    :param make: makes the engine, which may be slow; raises EngineError.
    :param deadline_s: seconds that the engine gets for a transcript, and for any one call before the end of the audio,
        where another provider could answer instead.
    :param longest_s: seconds where no other provider is left; a longer call hangs. None: ``deadline_s``.
    :param finds_speech: the engine wants all audio. False: leave out the silence before and after speech.
    :param mending: corrects its transcripts by the home's names; None: they stay as they are.
    :param patience_s: seconds to wait for a hanging thread before it is left behind.
    :param reload_s: seconds before the engine is first made anew; doubled until it gives a transcript.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], AsrEngine],
        deadline_s: float,
        breaker: Breaker,
        *,
        longest_s: float | None = None,
        finds_speech: bool = False,
        mending: Mending | None = None,
        patience_s: float = 30.0,
        reload_s: float = RELOAD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.deadline_s = deadline_s
        self.longest_s = deadline_s if longest_s is None else max(deadline_s, longest_s)
        self.finds_speech = finds_speech
        self.mending = mending
        self.busy = 0
        """Number of utterances at hand."""
        self.resting = 0
        """Number of utterances at hand that wait for their speaker, and not for the engine."""
        self._breaker = breaker
        self._absent = ""  # why the engine was absent the last time
        self._clock = clock
        self._keeper = Keeper(name, make, self.longest_s, patience_s, reload_s)

    @property
    def engine(self) -> AsrEngine:
        """The provider's engine, or EngineFailed raised where there is none at present."""
        return self._keeper.engine

    @property
    def standing(self) -> Standing:
        ready = self._keeper.state is State.READY and self._breaker.allows(self._clock())
        return Standing(self.name, ready, self.busy)

    def models(self) -> Sequence[ModelInfo]:
        """The models that the engine has, or had before it failed."""
        return self._keeper.models()

    def can_answer(self, request: AsrRequest) -> bool:
        """Whether to ask this provider now, as far as that is known without asking."""
        return self.standing.ready and any(speaks(model, request.language) for model in self.models())

    async def start(self) -> None:
        """Make the engine.

        :raises EngineError: it cannot be made.
        """
        await self._keeper.start()

    async def load(self) -> None:
        """Load the model now, for example after its files were fetched.

        :raises EngineError: the model cannot be loaded.
        """
        await self._keeper.load()

    def expect(self, names: Vocabulary) -> None:
        """Prepare for the home's present names on the engine's thread, before anybody says one."""
        if self.mending is not None:
            with suppress(EngineFailed):  # it is being made anew, and gets ready with the next utterance
                self._keeper.worker.post(partial(self.mending.expect, names))

    async def unload_unused(self, for_s: float) -> bool:
        """Unload the model if it has not been used for this many seconds; says whether it did."""
        return not self.busy and await self._keeper.unload_unused(for_s)

    @asynccontextmanager
    async def session(
        self, request: AsrRequest, within_s: Callable[[], float], *, patient: bool = False
    ) -> AsyncIterator["ProviderSession"]:
        """Open a session for one utterance; the end of the context closes it.

        :param within_s: gives the seconds that a call may take if it begins now.
        :param patient: also wait for an engine that hangs or is being made anew.
        :raises EngineError: the engine fails, or the request cannot be met.
        """
        engine = await self._keeper.ready(within_s(), patient=patient)
        self._breaker.asked(self._clock())
        self.busy += 1
        try:
            worker = self._keeper.worker
            session = await self._open(worker, engine, request, within_s())
            try:
                yield ProviderSession(self, worker, session, request, within_s)
            finally:
                worker.discard(session)
        finally:
            self.busy -= 1

    async def call(
        self, worker: Worker, within_s: float, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call a function of the engine on its worker.

        :raises EngineError: as the engine does.
        :raises EngineTimeout: the call has taken too long.
        :raises EngineBusy: other calls took so long that this one has not begun.
        :raises EngineFailed: something else went wrong.
        """
        begun = False

        def begin() -> R:
            nonlocal begun
            begun = True
            return function(*args, **kwargs)

        try:
            async with asyncio.timeout(within_s):
                return await worker.run(begin)
        except TimeoutError:
            if not begun:
                raise EngineBusy(f"{self.name}: has others to answer first") from None
            if worker is self._keeper.worker:
                self._keeper.hangs()
            raise EngineTimeout(f"{self.name}: no answer within {within_s:.3g} s") from None
        except asyncio.CancelledError:
            self._keeper.watch()
            raise
        except EngineError:
            raise
        except Exception as error:  # an engine is foreign code: its bug may cost this utterance and no other
            raise EngineFailed(f"{self.name}: {type(error).__name__}: {error}") from error

    def succeeded(self) -> None:
        """Take note that the engine has given a transcript."""
        self._breaker.succeeded()
        self._keeper.answered()
        self._absent = ""

    def failed(self, error: EngineError) -> bool:
        """Take note of a failure. Unsupported requests and calls that had to wait do not count.

        :return: whether it is news; False: the engine is absent for the reason that was told before.
        """
        if isinstance(error, NO_FAULT_OF_THE_ENGINE):
            return True
        absent = str(error) if isinstance(error, EngineUnavailable) else ""
        news = not absent or absent != self._absent
        self._absent = absent
        metrics.PROVIDER_FAILURES.labels("asr", self.name, error.code).inc()
        self._breaker.failed(self._clock(), at_once=isinstance(error, EngineTimeout))
        if self._breaker.open:
            metrics.PROVIDER_UP.labels("asr", self.name).set(0)
        self._keeper.may_have_ended()
        return news

    async def close(self) -> None:
        """Give back the engine and its threads. May be called more than once."""
        await self._keeper.close()

    async def _open(self, worker: Worker, engine: AsrEngine, request: AsrRequest, within_s: float) -> AsrSession:
        """Open a session. If nobody waits for it any more, it is closed as soon as it exists."""
        opened = ExitStack()

        def open_session() -> AsrSession:
            session = opened.enter_context(closing(engine.session(request)))
            if self.mending is not None:
                self.mending.expect(request.vocabulary, request.language)
            return session

        try:
            return await self.call(worker, within_s, open_session)
        except BaseException:
            worker.discard(opened)  # runs after the opening, on the same thread
            raise


def speaks(model: ModelInfo, language: str | None) -> bool:
    """Whether a model knows a language in any region; None stands for every language."""
    return language is None or primary(language) in map(primary, model.languages)


class ProviderSession:
    """One utterance with one provider.

    :param within_s: gives the seconds that a call may take if it begins now.
    """

    def __init__(
        self,
        provider: Provider,
        worker: Worker,
        session: AsrSession,
        request: AsrRequest,
        within_s: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._worker = worker
        self._session = session
        self._names = request.vocabulary
        self._within_s = within_s
        self.worked_s = 0.0
        """Seconds that the engine has worked on this utterance."""
        self.heard = False
        """Whether the engine has got any audio."""

    @property
    def alone(self) -> bool:
        """Whether the engine has no other utterance at hand."""
        return self._provider.busy - self._provider.resting <= 1

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Mark that this utterance waits for its speaker while the context lasts."""
        self._provider.resting += 1
        try:
            yield
        finally:
            self._provider.resting -= 1

    async def push(self, pcm: bytes) -> str | None:
        """Take audio; returns the partial text where the engine has one.

        :raises EngineFailed: the session cannot be used any more.
        """
        self.heard = True
        return await self._timed(self._push, pcm)

    async def pause(self) -> bool:
        """Tell the engine that the speaker pauses; returns whether it has decoded the audio so far.

        :raises EngineFailed: the session cannot be used any more.
        """
        if not isinstance(self._session, PausingSession):
            return False
        return await self._timed(self._session.pause)

    async def finish(self) -> Transcription:
        """End the utterance and return its transcription; raises EngineFailed where the session is broken."""
        return await self._timed(self._finish)

    def _finish(self) -> Transcription:
        heard = self._session.finish()
        mending = self._provider.mending
        return heard if mending is None else mending.mended(heard, self._names)

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
