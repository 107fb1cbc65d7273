"""AsrRouter: several speech-to-text providers as one. When one fails, the next hears the utterance from its start."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from irene_wyoming import metrics
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription, unknown_model
from irene_wyoming.errors import EngineError, NoProvider, UnknownModel, UnsupportedRequest
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.cascade import Cascade
from irene_wyoming.routing.policy import Policy
from irene_wyoming.routing.provider import Provider, ProviderSession
from irene_wyoming.routing.silence import Piece, Sound, WorthHearing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Partial:
    """What has been understood so far; it may still change."""

    text: str


Heard = Partial | Transcription
"""What comes of an utterance: any number of Partial while it lasts, one Transcription in the end."""


class AsrRouter:
    """Chooses among providers that all hear the same format.

    :param providers: at least one, in order of preference.
    :param cascade: when an answer of the first is good enough; None: always.
    :param clock: seconds, never going back.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        policy: Policy,
        admission: Admission,
        cascade: Cascade | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.providers = tuple(providers)
        self.policy = policy
        self.admission = admission
        self.cascade = cascade
        self.clock = clock

    @property
    def format(self) -> AudioFormat:
        return SPEECH

    def models(self) -> Sequence[ModelInfo]:
        return [info for provider in self.providers for info in provider.models()]

    def utterance(self, request: AsrRequest) -> "Utterance":
        return Utterance(self, request)

    def order(self, request: AsrRequest) -> list[Provider]:
        """Whom to ask, one after the other. A request that names a model goes to those that have it, and to no other.

        :raises UnknownModel: nobody has it.
        """
        able = self.providers
        if request.model is not None:
            able = tuple(one for one in able if any(info.name == request.model for info in one.models()))
            if not able:
                raise unknown_model(request.model, self.models())
        by_name = {provider.name: provider for provider in able}
        return [by_name[name] for name in self.policy.order([provider.standing for provider in able])]


class Utterance:
    """One utterance on its way through a router. Its audio is kept, so that the next provider can hear all of it.

    ``push`` and ``end`` give the audio and never wait; ``heard`` does the work. The caller bounds the length.
    """

    def __init__(self, router: AsrRouter, request: AsrRequest) -> None:
        self._router = router
        self._request = request
        self._pieces: list[Piece] = []
        self._seconds = 0.0
        self._more = asyncio.Event()  # a piece has come, or the end
        self._ended: float | None = None  # when, by the router's clock; None while there may be more audio

    def push(self, pcm: bytes, sound: Sound = Sound.UNKNOWN) -> None:
        """More audio: whole frames in the router's format."""
        self._pieces.append(Piece(pcm, sound))
        self._seconds += self._router.format.seconds(len(pcm))
        self._more.set()

    def end(self) -> None:
        """There is no more audio. May be called more than once."""
        if self._ended is None:
            self._ended = self._router.clock()
            self._more.set()

    async def heard(self) -> AsyncGenerator[Heard, None]:
        """What is understood, while it is spoken and in the end.

        :raises LimitExceeded: too many utterances at once.
        :raises UnknownModel, UnsupportedRequest: no provider can meet the request.
        :raises NoProvider: all that can have failed.
        """
        async with self._router.admission.turn(), aclosing(self._routed()) as routed:
            async for heard in routed:
                yield heard

    async def _routed(self) -> AsyncGenerator[Heard, None]:
        order = self._router.order(self._request)
        cascade = self._router.cascade
        unsure: Transcription | None = None
        errors: list[EngineError] = []
        for index, provider in enumerate(order):
            try:
                async with aclosing(self._attempt(provider)) as attempt:
                    async for heard in attempt:
                        if isinstance(heard, Partial):
                            yield heard
                        else:
                            result = heard
            except EngineError as error:
                provider.failed(error)
                errors.append(error)
                if index + 1 < len(order):
                    log.warning("asr: %s; trying %s", error, order[index + 1].name)
                continue
            provider.succeeded()
            if cascade is not None and index + 1 < len(order) and unsure is None and not cascade.sure(result):
                unsure = result
                continue
            if cascade is not None and unsure is not None:
                cascade.strong_answered(unsure, result)
            if index > 0 and errors:
                metrics.PROVIDER_FALLBACKS.labels("asr", provider.name).inc()
            yield result
            return
        if unsure is None:
            raise none_left(errors)
        yield unsure

    async def _attempt(self, provider: Provider) -> AsyncGenerator[Heard, None]:
        """The whole utterance with one provider, from its start.

        :raises EngineError: the provider fails, or cannot meet the request.
        """
        clock = self._router.clock
        began = clock()

        def within_s() -> float:
            waits_since = clock() if self._ended is None else max(self._ended, began)
            return max(0.0, waits_since + provider.deadline_s - clock())

        async with provider.session(self._request, within_s) as session:
            async with aclosing(self._fed(session, provider)) as fed:
                async for partial in fed:
                    yield partial
            result = await session.finish() if session.heard else nothing_said(self._request, provider)
        self._count(provider, result, session.worked_s)
        yield result

    async def _fed(self, session: ProviderSession, provider: Provider) -> AsyncGenerator[Partial, None]:
        """Feed a session until there is no more audio; tell what it understands on the way."""
        worth = WorthHearing(self._router.format, everything=provider.finds_speech)
        said, index = "", 0
        while (piece := await self._piece(index)) is not None:
            index += 1
            for pcm in worth.push(piece):
                partial = await session.push(pcm)
                if partial and partial != said:
                    said = partial
                    yield Partial(said)
            if piece.sound == Sound.PAUSE and index == len(self._pieces):  # otherwise they may speak again already
                await session.pause()
        for pcm in worth.finish():
            await session.push(pcm)

    async def _piece(self, index: int) -> Piece | None:
        """A piece of the audio, when it has come; None: there are no more."""
        while index >= len(self._pieces):
            if self._ended is not None:
                return None
            self._more.clear()
            await self._more.wait()
        return self._pieces[index]

    def _count(self, provider: Provider, result: Transcription, worked_s: float) -> None:
        after_s = self._router.clock() - (self._ended or 0.0)
        metrics.TRANSCRIPTS.labels(provider.name, "text" if result.text else "empty").inc()
        if self._seconds:
            metrics.REAL_TIME_FACTOR.labels(provider.name).observe(worked_s / self._seconds)
        sure = "" if result.confidence is None else f", confidence {result.confidence:.2f}"
        log.info(
            "asr: %s: %.1f s of audio, %.2f s after its end%s: %r",
            provider.name,
            self._seconds,
            after_s,
            sure,
            result.text,
        )


def nothing_said(request: AsrRequest, provider: Provider) -> Transcription:
    """The answer to silence, which engines do not hear: some would make words of it."""
    return Transcription("", request.language or "", provider.name)


def none_left(errors: Sequence[EngineError]) -> EngineError:
    """What a client is told: why its request cannot be met where nobody can, otherwise that all have failed."""
    failures = [error for error in errors if not isinstance(error, UnknownModel | UnsupportedRequest)]
    if failures:
        return NoProvider(f"every provider has failed; last: {failures[-1]}")
    return errors[0] if len(errors) == 1 else UnsupportedRequest("; ".join(str(error) for error in errors))
