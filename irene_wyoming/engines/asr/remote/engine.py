"""Remote: an AsrEngine that lets another machine decode, and keeps its list of models."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Protocol

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.elsewhere import LoopDecoding, LoopThread, RemoteSession, Utterance
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription, unknown_model
from irene_wyoming.errors import EngineFailed, UnsupportedRequest
from irene_wyoming.tags import primary

log = logging.getLogger(__name__)

LOOK_EVERY_S = 30.0
"""Seconds between looks at the other machine's models: as often as a hub asks us."""


class Server(Protocol):
    """The speech-to-text of another machine, used on one event loop."""

    async def models(self) -> Sequence[ModelInfo]:
        """List its models; raises EngineFailed where it does not answer in time."""

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        """Transcribe an utterance, without a deadline: the caller cancels.

        :raises EngineFailed: the network or the other machine fails.
        """

    async def close(self) -> None: ...


class Remote:
    """An engine that needs the other machine for sessions only.

    :param server: the other machine's server, closed with the engine.
    :param model: the default model, offered until the other machine was seen once.
    :param language: language where a request names none.
    :param languages: languages where the server lists none; empty: the server decides.
    :param first_look_s: seconds to wait for the other machine's models, so that a hub's first question gets them.
    :param clock: monotonic seconds.
    """

    format = SPEECH

    def __init__(
        self,
        name: str,
        server: Server,
        model: ModelInfo,
        *,
        language: str,
        languages: Sequence[str],
        patience_s: float,
        first_look_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._server = server
        self._default = model.name
        self._models: tuple[ModelInfo, ...] = (replace(model, installed=False),)  # languages: only the server's own
        self._awake: bool | None = None  # None: not looked yet
        self._language = language
        self._languages = tuple(languages)
        self._patience_s = patience_s
        self._clock = clock
        self._closed = False
        self._loop = LoopThread(name)
        self._looked = clock()
        self._looking: Future[None] = self._loop.submit(self._look)
        try:
            self._looking.result(first_look_s)
        except TimeoutError:
            log.info("%s: its models are not known yet; asking again", name)

    def models(self) -> Sequence[ModelInfo]:
        """The other machine's models when it was last seen; none is installed while it sleeps.

        It never waits: a list older than LOOK_EVERY_S is refreshed for the next question.
        """
        if not self._closed and self._looking.done() and self._clock() - self._looked >= LOOK_EVERY_S:
            self._looked = self._clock()
            self._looking = self._loop.submit(self._look)
        shown = self._languages or (self._language,)
        return [replace(model, languages=model.languages or shown) for model in self._models]

    def session(self, request: AsrRequest) -> RemoteSession:
        """Open a session.

        :raises UnknownModel, UnsupportedRequest: the model or language is not offered.

        :raises EngineFailed: the engine is closed.
        """
        language = request.language or self._language
        self._check(request.model, language)
        decode = partial(self._server.transcribe, request, language)
        return RemoteSession(self.name, LoopDecoding(self._loop, decode), self._patience_s)

    def close(self) -> None:
        self._closed = True
        self._loop.close(self._server.close)

    def _check(self, model: str | None, language: str) -> None:
        able = [info for info in self._models if model in (None, info.name)]
        if not able:
            raise unknown_model(str(model), self._models)
        known = [tag for info in able for tag in info.languages] or list(self._languages)
        if known and primary(language) not in map(primary, known):
            raise UnsupportedRequest(f"language {language!r}: {self.name} knows {', '.join(dict.fromkeys(known))}")

    async def _look(self) -> None:
        try:
            found = await self._server.models()
        except EngineFailed as error:
            if self._awake is not False:
                log.warning("%s; until it answers it is offered as not installed", error)
            self._awake = False
            self._models = tuple(replace(model, installed=False) for model in self._models)
            return
        if self._awake is False:
            log.info("%s: it answers again", self.name)
        self._awake = True
        self._models = tuple(sorted(found, key=lambda model: model.name != self._default))  # the default one first
