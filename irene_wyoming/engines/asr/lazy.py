"""LazyEngine: an AsrEngine that is loaded when first needed, or in the background, and unloaded when idle.

A strong model takes seconds to load and gigabytes of memory, while a hub wants its description at once. So its name,
format and list of models are here from the start.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from irene_wyoming import metrics
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.checks import number, or_null
from irene_wyoming.engines.asr.lifecycle import PausingSession
from irene_wyoming.engines.base import (
    AsrEngine,
    AsrRequest,
    AsrSession,
    EngineContext,
    EngineSpec,
    ModelInfo,
    Option,
    Transcription,
)
from irene_wyoming.engines.registry import missing, require
from irene_wyoming.errors import EngineError, EngineFailed
from irene_wyoming.heap import give_back_memory

log = logging.getLogger(__name__)


UNLOAD_AFTER = Option(
    None,
    or_null(number("null or seconds", 1, 604_800)),  # up to a week
    "seconds without work after which the model is unloaded; null: never",
)
"""The option ``unload_after_s`` of engines that take much memory. LazyEngine reads it; ``create`` need not."""


def offered(spec: EngineSpec, options: Mapping[str, Any], context: EngineContext) -> Sequence[ModelInfo] | None:
    """List the models of an engine without loading it; None: only loading shows them.

    ``installed`` is false for all models where a package that the engine needs is missing.
    """
    if spec.offers is None:
        return None
    models = spec.offers(options, context)
    return [replace(model, installed=False) for model in models] if missing(spec) else models


def lazy(spec: EngineSpec, options: Mapping[str, Any], context: EngineContext) -> "LazyEngine | None":
    """Make the engine without loading it; None: only loading shows its models."""
    models = offered(spec, options, context)
    if models is None:
        return None

    def create() -> AsrEngine:
        require(spec)
        engine: AsrEngine = spec.create(options, context)
        return engine

    return LazyEngine(spec.name, models, create, unload_after_s=options.get("unload_after_s"))


class LazyEngine:
    """Loads its engine at ``load`` or the first session. ``unload_if_idle`` unloads it until the next session.

    Like every engine it is called through a Worker, one call at a time. ``models``, ``loaded`` and ``idle_in`` touch no
    model and may be called from the event loop meanwhile.

    :param create: makes the engine, which may be slow; raises EngineUnavailable.
    :param unload_after_s: seconds without use; None: never.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        models: Sequence[ModelInfo],
        create: Callable[[], AsrEngine],
        *,
        format: AudioFormat = SPEECH,  # noqa: A002  # the Protocol's name for it
        unload_after_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.format = format
        self._offered = tuple(models)
        self._create = create
        self._unload_after_s = math.inf if unload_after_s is None else unload_after_s
        self._clock = clock
        self._engine: AsrEngine | None = None
        self._open = 0  # number of open sessions
        self._used = clock()
        self._closed = False

    @property
    def engine(self) -> AsrEngine | None:
        """The engine itself; None: it is not loaded."""
        return self._engine

    @property
    def loaded(self) -> bool:
        return self._engine is not None

    def models(self) -> Sequence[ModelInfo]:
        """The engine's own list while it is loaded, else the list made without loading."""
        engine = self._engine
        return self._offered if engine is None else engine.models()

    def load(self) -> None:
        """Load the engine unless it is loaded. Slow.

        :raises EngineUnavailable: it cannot be loaded; its models count as not installed until it can.
        :raises EngineFailed: it is closed.
        """
        if self._closed:
            raise EngineFailed(f"{self.name}: the engine is closed")
        if self._engine is not None:
            return
        started = self._clock()
        try:
            self._engine = self._create()
        except EngineError:
            self._offered = tuple(replace(model, installed=False) for model in self._offered)
            raise
        self._used = self._clock()
        self._offered = tuple(self._engine.models())
        metrics.ENGINE_LOADED.labels(self.name).set(1)
        metrics.ENGINE_LOAD_SECONDS.labels(self.name).observe(self._used - started)
        log.info("%s: loaded in %.2f s", self.name, self._used - started)

    def session(self, request: AsrRequest) -> AsrSession:
        """Open a session, loading the engine if need be.

        :raises EngineUnavailable: the engine cannot be loaded.

        :raises UnknownModel, UnsupportedRequest: the request cannot be met.
        """
        self.load()
        assert self._engine is not None
        session = self._engine.session(request)
        self._open += 1
        self._used = self._clock()
        return _CountedSession(session, self._ended)

    def _ended(self) -> None:
        self._open -= 1
        self._used = self._clock()

    def idle_in(self) -> float | None:
        """Seconds until the engine may be unloaded, at least 0; None: it is not loaded, in use, or kept for ever."""
        if self._engine is None or self._open or self._unload_after_s == math.inf:
            return None
        return max(0.0, self._used + self._unload_after_s - self._clock())

    def unload_if_idle(self) -> bool:
        """Unload the engine if nobody has used it for long enough; says whether it did."""
        if self.idle_in() != 0:
            return False
        self._unload()
        log.info("%s: unloaded after %g s without work", self.name, self._unload_after_s)
        return True

    def unload_unused(self, for_s: float) -> bool:
        """Unload the engine if it was not used for this many seconds, as memory is short; says whether it did."""
        if self._engine is None or self._open or self._clock() - self._used < for_s:
            return False
        self._unload()
        return True

    def close(self) -> None:
        self._closed = True
        self._unload()

    def _unload(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
            del engine
            metrics.ENGINE_LOADED.labels(self.name).set(0)
            give_back_memory()


class _CountedSession:
    """Reports its end to the engine, once."""

    def __init__(self, session: AsrSession, ended: Callable[[], None]) -> None:
        self._session = session
        self._ended: Callable[[], None] | None = ended

    def push(self, pcm: bytes) -> None:
        self._session.push(pcm)

    def partial(self) -> str | None:
        return self._session.partial()

    def pause(self) -> bool:
        return isinstance(self._session, PausingSession) and self._session.pause()

    def finish(self) -> Transcription:
        return self._session.finish()

    def close(self) -> None:
        self._session.close()
        if self._ended is not None:
            self._ended()
            self._ended = None
