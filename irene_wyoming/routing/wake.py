"""WakeRouter: several wake word engines as one."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from irene_wyoming import metrics
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import (
    NO_SETTINGS,
    Hit,
    MeasuredScore,
    ModelInfo,
    OnScore,
    Score,
    SecondedScore,
    WakeEngine,
    WakeSession,
    WakeSettings,
    unknown_model,
)
from irene_wyoming.engines.wake.typed import TypedEngine
from irene_wyoming.errors import EngineFailed

log = logging.getLogger(__name__)


class WakeRouter:
    """Offers every word of its engines; a word that several have is served by the first of them.

    :param engines: at least one, in order of preference; all hear the same format.
    :param either: further engines that know a word may propose it too, where ``verify`` lets a second look decide.
    :param resting: tells whether those further engines are to be spared at present.
    """

    def __init__(
        self, engines: Sequence[WakeEngine], *, either: bool = False, resting: Callable[[], bool] = lambda: False
    ) -> None:
        self.engines = tuple(engines)
        self._either = either
        self._resting = resting

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
        """Open a session for these words. A word whose engine fails is heard by the next one that knows it.

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
            seconding: list[Seconding] = []
            if self._either and on_score is not None:
                for session in self._seconding(models, settings, on_score):
                    seconding.append(session)
                    undo.callback(session.close)
            undo.pop_all()
        return JoinedWakeSession(sessions, seconding)

    def _seconding(
        self, models: Sequence[str], settings: Mapping[str, WakeSettings], on_score: OnScore
    ) -> Iterator["Seconding"]:
        """Sessions of further engines that know the words; their scores only propose a word."""
        served: set[str] = set()
        looked_at = [name for name in models if name in settings and settings[name].verify == "on"]
        for engine in self.engines:
            known = {info.name for info in engine.models()}
            some = [name for name in looked_at if name in known and name in served]
            served |= known
            if some and not isinstance(engine, TypedEngine):  # typed words show no scores
                try:
                    yield Seconding(partial(engine.session, some, settings), on_score, self._resting)
                except EngineFailed as error:
                    self._failed(engine, error)

    def _failed(self, engine: WakeEngine, error: EngineFailed) -> None:
        log.warning("wake: %s: %s; trying the next provider", engine.name, error)
        metrics.PROVIDER_FAILURES.labels("wake", engine.name, error.code).inc()

    def close(self) -> None:
        for engine in self.engines:
            engine.close()


class JoinedWakeSession:
    """One session on each engine that the wanted words need.

    :param seconding: sessions that hear the same audio and only show scores; their hits are ignored.
    """

    def __init__(self, sessions: Sequence[WakeSession], seconding: Sequence["Seconding"] = ()) -> None:
        self._sessions = sessions
        self._seconding = seconding

    @property
    def needs(self) -> int:
        return min(session.needs for session in self._sessions)

    def push(self, pcm: bytes) -> Sequence[Hit]:
        hits = [hit for session in self._sessions for hit in session.push(pcm)]
        for seconding in self._seconding:
            seconding.push(pcm)
        return sorted(hits, key=lambda hit: hit.frame)

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        for seconding in self._seconding:
            seconding.close()


def _unseen(_score: Score) -> None:
    """Take no note of a score."""


class Seconding:
    """A second engine's session on the same audio. It only shows scores that may propose a word, marked as such.

    :param make: opens the session with a callback for its scores.
    :param resting: tells whether the audio pushed now is to be left out.
    """

    def __init__(self, make: Callable[[OnScore], WakeSession], on_score: OnScore, resting: Callable[[], bool]) -> None:
        self._on_score = on_score
        self._resting = resting
        self._session = make(self._show)
        self._spared = 0  # number of frames left out

    def push(self, pcm: bytes) -> None:
        if self._resting():
            self._spared += SPEECH.frames(len(pcm))
        else:
            self._session.push(pcm)

    def close(self) -> None:
        self._session.close()
        self._on_score = _unseen  # it belongs to the session of which this one is a part

    def _show(self, score: Score) -> None:
        if isinstance(score, MeasuredScore):
            later = score.later(self._spared) if self._spared else score
            self._on_score(SecondedScore.of(later, score.level_dbfs, score.snr_db, score.threshold))
