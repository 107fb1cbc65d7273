"""Utterance: one person's speech on its way through a router's providers. Its audio is kept meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from irene_wyoming import metrics
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.engines.base import AsrRequest, Transcription
from irene_wyoming.errors import EngineBusy, EngineError, NoProvider, UnknownModel, UnsupportedRequest
from irene_wyoming.routing.admission import Admission, Place
from irene_wyoming.routing.budget import Budget
from irene_wyoming.routing.cascade import Cascade
from irene_wyoming.routing.provider import Provider, ProviderSession
from irene_wyoming.routing.silence import Piece, Sound, WorthHearing

log = logging.getLogger(__name__)

OnPartial = Callable[[str], Awaitable[None]]
"""Called with the text understood so far, which may still change."""

PACE, PACE_S = 0.5, 1.0
"""Audio is live where its last PACE_S seconds took at least PACE as long to arrive. A recording arrives faster, and so
will its end, so nothing is decoded ahead of it.
"""


async def nobody(_: str) -> None:
    """Ignore a partial text: the default listener."""


class Utterance:
    """One utterance, kept so that the next provider can hear it from its start.

    ``push`` and ``end`` give the audio and never wait; ``heard`` does the work. The caller bounds the length.

    :param form: the format of its audio.
    :param order: gives the providers to ask, one after the other; raises UnknownModel.
    :param cascade: judges whether the first answer is good enough; None: it always is.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        request: AsrRequest,
        form: AudioFormat,
        order: Callable[[AsrRequest], Sequence[Provider]],
        admission: Admission,
        cascade: Cascade | None,
        clock: Callable[[], float],
    ) -> None:
        self._request = request
        self._form = form
        self._order = order
        self._admission = admission
        self._cascade = cascade
        self._clock = clock
        self._pieces: list[Piece] = []
        self._seconds = 0.0
        self._more = asyncio.Event()  # set when a piece or the end arrives
        self._came: list[float] = []  # the clock's reading at each piece's arrival
        self._ended: float | None = None  # the clock's reading at the end; None while more audio may come
        self._place: Place | None = None  # None until the transcript is asked for

    def push(self, pcm: bytes, sound: Sound = Sound.UNKNOWN) -> None:
        """Add more audio, in whole frames."""
        self._came.append(self._clock())
        self._pieces.append(Piece(pcm, sound))
        self._seconds += self._form.seconds(len(pcm))
        self._more.set()

    def end(self) -> None:
        """End the audio. May be called more than once.

        :raises LimitExceeded: too many wait for their transcript already.
        """
        if self._ended is None:
            self._ended = self._clock()
            self._more.set()
            if self._place is not None:
                self._place.take()

    async def heard(self, on_partial: OnPartial = nobody) -> Transcription:
        """Wait for the end of the utterance and return its transcription.

        :raises LimitExceeded: too many wait for their transcript already.
        :raises UnknownModel, UnsupportedRequest: no provider can meet the request.
        :raises NoProvider: all providers that can meet it have failed.
        """
        with self._admission.place() as self._place:
            if self._ended is not None:
                self._place.take()
            return await self._routed(on_partial)

    async def _routed(self, on_partial: OnPartial) -> Transcription:
        """The first provider's answer, or in a cascade the first that is sure; the next one answers after a failure."""
        order, cascade = self._order(self._request), self._cascade
        unsure: Transcription | None = None
        errors: list[EngineError] = []
        for index, provider in enumerate(order):
            after = order[index + 1 :]
            last = unsure is None and not any(one.can_answer(self._request) for one in after)
            try:
                result = await self._tried(provider, on_partial, last=last)
            except EngineError as error:
                news = provider.failed(error)
                errors.append(error)
                if after:
                    log.log(logging.WARNING if news else logging.DEBUG, "asr: %s; trying %s", error, after[0].name)
                continue
            provider.succeeded()
            if cascade is not None and after and unsure is None and not cascade.sure(result):
                unsure = result
                continue
            if cascade is not None and unsure is not None:
                cascade.strong_answered(unsure, result)
            if errors:
                metrics.PROVIDER_FALLBACKS.labels("asr", provider.name).inc()
            return result
        if unsure is None:
            raise none_left(errors)
        return unsure

    async def _tried(self, provider: Provider, on_partial: OnPartial, *, last: bool) -> Transcription:
        """Ask one provider. The last one is asked again where another utterance's call kept it busy.

        :raises EngineError: the provider fails, cannot meet the request, or has no time left.
        """
        allowed_s = provider.longest_s if last else provider.deadline_s
        budget = Budget(allowed_s, lambda: self._ended, self._clock, last=last)
        while True:
            try:
                return await self._attempt(provider, budget, on_partial, last=last)
            except EngineBusy:
                if not last or not budget.left_s():
                    raise

    async def _attempt(self, provider: Provider, budget: Budget, on_partial: OnPartial, *, last: bool) -> Transcription:
        """Give one provider the whole utterance from its start.

        :raises EngineError: the provider fails, or cannot meet the request.
        """
        async with provider.session(self._request, budget.left_s, patient=last) as session:
            await self._feed(session, provider, budget, on_partial)
            if session.heard:
                async with self._admission.turn():
                    with budget.spent():
                        result = await session.finish()
            else:
                result = nothing_said(self._request, provider)
        self._count(provider, result, session.worked_s)
        return result

    async def _feed(self, session: ProviderSession, provider: Provider, budget: Budget, on_partial: OnPartial) -> None:
        """Feed a session until the audio ends; report partial texts on the way."""
        worth = WorthHearing(self._form, everything=provider.finds_speech)
        said, index, settled = "", 0, False
        while (piece := await self._piece(index, session)) is not None:
            index += 1
            for pcm in worth.push(piece):
                settled = False
                partial = await self._given(session, budget, pcm)
                if partial and partial != said:
                    said = partial
                    await on_partial(said)
            if piece.sound == Sound.PAUSE and self._may_be_all(index) and session.alone:
                async with self._admission.turn():
                    with budget.spent():
                        settled = await session.pause()
        if not settled:  # otherwise all audio has been decoded already
            for pcm in worth.finish():
                await self._given(session, budget, pcm)

    async def _given(self, session: ProviderSession, budget: Budget, pcm: bytes) -> str | None:
        """Give audio to a session in a turn; returns its partial text."""
        async with self._admission.turn():
            with budget.spent():
                return await session.push(pcm)

    def _may_be_all(self, index: int) -> bool:
        """Whether all audio so far has been given, arrived live, and may go on."""
        if index < len(self._pieces) or self._ended is not None:
            return False
        seconds, first = 0.0, index - 1
        while first > 0 and seconds < PACE_S:
            seconds += self._form.seconds(len(self._pieces[first].pcm))
            first -= 1
        return self._came[index - 1] - self._came[first] >= PACE * seconds

    async def _piece(self, index: int, session: ProviderSession) -> Piece | None:
        """Wait for a piece of the audio; None: there are no more."""
        while index >= len(self._pieces):
            if self._ended is not None:
                return None
            self._more.clear()
            with session.resting():
                await self._more.wait()
        return self._pieces[index]

    def _count(self, provider: Provider, result: Transcription, worked_s: float) -> None:
        metrics.TRANSCRIPTS.labels(provider.name, "text" if result.text else "empty").inc()
        if self._seconds:
            metrics.REAL_TIME_FACTOR.labels(provider.name).observe(worked_s / self._seconds)
        log.debug("asr: %s: %.1f s of audio, %.2f s of work: %r", provider.name, self._seconds, worked_s, result.text)


def nothing_said(request: AsrRequest, provider: Provider) -> Transcription:
    """The answer to an utterance of silence, in which some engines would hear words."""
    return Transcription("", request.language or "", provider.name)


def none_left(errors: Sequence[EngineError]) -> EngineError:
    """The error for a client: that its request cannot be met, or that all providers have failed."""
    failures = [error for error in errors if not isinstance(error, UnknownModel | UnsupportedRequest)]
    if failures:
        return NoProvider(f"every provider has failed; last: {failures[-1]}")
    return errors[0] if len(errors) == 1 else UnsupportedRequest("; ".join(str(error) for error in errors))
