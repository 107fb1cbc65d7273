"""WakeRouter: several wake word engines as one."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from irene_wyoming import metrics
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.engines.base import (
    NO_SETTINGS,
    Hit,
    ModelInfo,
    OnScore,
    WakeEngine,
    WakeSession,
    WakeSettings,
    unknown_model,
)
from irene_wyoming.errors import EngineFailed

log = logging.getLogger(__name__)


class WakeRouter:
    """Offers every word of its engines; a word that several have is served by the first of them.

    :param engines: at least one, in order of preference; all hear the same format.
    """

    def __init__(self, engines: Sequence[WakeEngine]) -> None:
        self.engines = tuple(engines)

    @property
    def name(self) -> str:
        return self.engines[0].name

    @property
    def format(self) -> AudioFormat:
        return self.engines[0].format

    def models(self) -> Sequence[ModelInfo]:
        first = {info.name: info for engine in reversed(self.engines) for info in engine.models()}
        order = dict.fromkeys(info.name for engine in self.engines for info in engine.models())
        return [first[name] for name in order]

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> WakeSession:
        """A word whose engine fails is heard by the next one that knows it.

        :raises UnknownModel: a name is not among ``models()``.
        :raises EngineFailed: every engine that knows a word fails.
        """
        waiting, failure = list(models), None
        with ExitStack() as undo:
            sessions: list[WakeSession] = []
            for engine in self.engines:
                known = {info.name for info in engine.models()}
                some = [name for name in waiting if name in known]
                if not some:
                    continue
                try:
                    sessions.append(engine.session(some, settings, on_score))
                except EngineFailed as error:
                    failure = error
                    self._failed(engine, error)
                    continue
                undo.callback(sessions[-1].close)
                waiting = [name for name in waiting if name not in known]
                if failure is not None:
                    metrics.PROVIDER_FALLBACKS.labels("wake", engine.name).inc()
            if waiting:
                raise failure or unknown_model(waiting[0], self.models())
            undo.pop_all()
        return JoinedWakeSession(sessions)

    def _failed(self, engine: WakeEngine, error: EngineFailed) -> None:
        log.warning("wake: %s: %s; trying the next provider", engine.name, error)
        metrics.PROVIDER_FAILURES.labels("wake", engine.name, error.code).inc()

    def close(self) -> None:
        for engine in self.engines:
            engine.close()


class JoinedWakeSession:
    """One session on each engine that the wanted words need."""

    def __init__(self, sessions: Sequence[WakeSession]) -> None:
        self._sessions = sessions

    @property
    def needs(self) -> int:
        return min(session.needs for session in self._sessions)

    def push(self, pcm: bytes) -> Sequence[Hit]:
        hits = [hit for session in self._sessions for hit in session.push(pcm)]
        return sorted(hits, key=lambda hit: hit.frame)

    def close(self) -> None:
        for session in self._sessions:
            session.close()
