"""WakeRouter: several wake word engines as one."""

from collections.abc import Mapping, Sequence

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
        """:raises UnknownModel: a name is not among ``models()``."""
        owner = {info.name: engine for engine in reversed(self.engines) for info in engine.models()}
        by_engine: dict[WakeEngine, list[str]] = {}
        for name in models:
            if name not in owner:
                raise unknown_model(name, self.models())
            by_engine.setdefault(owner[name], []).append(name)
        return JoinedWakeSession([engine.session(names, settings, on_score) for engine, names in by_engine.items()])

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
