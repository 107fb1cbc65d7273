"""AsrRouter: several speech-to-text engines as one; when one fails, the next hears the utterance from its start."""

import logging
from collections.abc import Sequence

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.engines.base import AsrEngine, AsrRequest, AsrSession, ModelInfo, Transcription, unknown_model
from irene_wyoming.errors import EngineError, EngineFailed, NoProvider

log = logging.getLogger(__name__)


class AsrRouter:
    """Asks its engines in order. A request that names a model goes to the engine that has it, and to no other.

    :param engines: at least one, in order of preference; all hear the same format.
    """

    def __init__(self, engines: Sequence[AsrEngine]) -> None:
        self.engines = tuple(engines)

    @property
    def name(self) -> str:
        return self.engines[0].name

    @property
    def format(self) -> AudioFormat:
        return self.engines[0].format

    def models(self) -> Sequence[ModelInfo]:
        return [info for engine in self.engines for info in engine.models()]

    def session(self, request: AsrRequest) -> AsrSession:
        """:raises UnknownModel, UnsupportedRequest: no engine can meet the request."""
        return RoutedAsrSession(self._able(request), request)

    def close(self) -> None:
        for engine in self.engines:
            engine.close()

    def _able(self, request: AsrRequest) -> Sequence[AsrEngine]:
        if request.model is None:
            return self.engines
        able = [engine for engine in self.engines if any(info.name == request.model for info in engine.models())]
        if not able:
            raise unknown_model(request.model, self.models())
        return able


class RoutedAsrSession:
    """One utterance. Its audio is kept, so that the next engine can hear all of it; the caller bounds its length."""

    def __init__(self, engines: Sequence[AsrEngine], request: AsrRequest) -> None:
        self._waiting = list(engines)
        self._request = request
        self._heard: list[bytes] = []
        self._current = self._next()

    def push(self, pcm: bytes) -> None:
        self._heard.append(pcm)
        try:
            self._current.push(pcm)
        except EngineFailed as error:
            self._replace(error)

    def partial(self) -> str | None:
        return self._current.partial()

    def finish(self) -> Transcription:
        while True:
            try:
                return self._current.finish()
            except EngineFailed as error:
                self._replace(error)

    def close(self) -> None:
        self._heard.clear()
        self._current.close()

    def _next(self) -> AsrSession:
        """A session of the first waiting engine that takes the request.

        :raises EngineError: as the last of them raised it.
        """
        while True:
            engine = self._waiting.pop(0)
            try:
                return engine.session(self._request)
            except EngineError as error:
                if not self._waiting:
                    raise
                log.warning("asr: %s: %s; trying the next provider", engine.name, error)

    def _replace(self, error: EngineFailed) -> None:
        """Go on with the next engine, from the start of the utterance.

        :raises NoProvider: there is none left.
        """
        self._current.close()
        while self._waiting:
            log.warning("asr: %s; trying the next provider", error)
            self._current = self._next()
            try:
                for pcm in self._heard:
                    self._current.push(pcm)
                return
            except EngineFailed as next_error:
                self._current.close()
                error = next_error
        raise NoProvider(f"every provider has failed; last: {error}") from error
