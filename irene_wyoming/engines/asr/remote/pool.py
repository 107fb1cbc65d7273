"""Pool: several servers as one. The least busy is asked first, another where it fails or is late."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from irene_wyoming import metrics
from irene_wyoming.engines.asr.elsewhere import Utterance
from irene_wyoming.engines.asr.remote.engine import Server
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed
from irene_wyoming.tags import primary

log = logging.getLogger(__name__)

PROBE_EVERY_S = 5.0
"""Seconds between looks at a server that has failed. A restart takes about as long."""

LATE_IN_A_ROW = 3
"""Late utterances in a row after which a server is left alone; a single one may be a long one."""

REST_S, REST_MOST_S = 5.0, 60.0
"""Seconds of rest for a server that answers probes and fails utterances: the first time, and at most."""


class Member:
    """One server of a pool.

    :param uri: its address, for messages.
    :param number: number of the address in the configuration, from 1.
    :param clock: monotonic seconds.
    """

    def __init__(self, number: int, uri: str, server: Server, clock: Callable[[], float] = time.monotonic) -> None:
        self.uri = uri
        self.server = server
        self.busy = 0
        """Number of utterances at hand."""
        self.awake = True
        """Whether it answered the last question."""
        self.offers: Sequence[ModelInfo] = ()
        """Its models when it was last seen; empty: it was never seen."""
        self._late = 0  # late utterances in a row
        self._rest_s = REST_S
        self._rests_until = 0.0
        self._clock = clock
        self._up = metrics.REMOTE_UP.labels(str(number))
        self._up.set(1)

    @property
    def ready(self) -> bool:
        return self.awake and self._clock() >= self._rests_until

    def suits(self, request: AsrRequest, language: str) -> bool:
        """Whether the server may know the model and the language."""
        able = [model for model in self.offers if request.model in (None, model.name)]
        known = [primary(tag) for model in able for tag in model.languages]
        return not self.offers or (bool(able) and (not known or primary(language) in known))

    async def look(self) -> None:
        """Check whether the server answers; raises EngineFailed where it does not."""
        try:
            self.offers = await self.server.models()
        except EngineFailed as error:
            if self.awake:
                log.warning("%s; it is left alone until it answers", error)
            self._turn(awake=False)
            raise
        if not self.awake:
            log.info("%s answers again", self.uri)
        self._turn(awake=True)

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        """Let the server transcribe, and note the outcome.

        :raises EngineFailed: the network or the server fails.
        """
        try:
            result = await self.server.transcribe(request, language, utterance)
        except EngineFailed:
            self._fell_asleep()
            raise
        self._late = 0
        self._rest_s = REST_S
        return result

    def let_go(self, _: object) -> None:
        """Note that it has one utterance less at hand."""
        self.busy -= 1

    def was_late(self) -> None:
        """Note that another has answered first, or nobody waits any more."""
        self._late += 1
        if self._late >= LATE_IN_A_ROW:
            self._fell_asleep()

    def _fell_asleep(self) -> None:
        """Leave the server alone until it answers a probe and has rested."""
        self._turn(awake=False)
        self._late = 0
        self._rests_until = self._clock() + self._rest_s
        self._rest_s = min(2 * self._rest_s, REST_MOST_S)

    def _turn(self, *, awake: bool) -> None:
        self.awake = awake
        self._up.set(awake)


class Pool:
    """Several servers as one Server.

    :param members: servers in the order in which they are asked while idle.
    :param hedge_s: seconds after the end of the audio until another is asked as well; None: never.
    :param patience_s: seconds after the end of the audio until nobody waits any more.
    :param probe_every_s: seconds between looks at a server that has failed.
    """

    def __init__(
        self,
        name: str,
        members: Sequence[Member],
        *,
        hedge_s: float | None,
        patience_s: float,
        probe_every_s: float = PROBE_EVERY_S,
    ) -> None:
        self._name = name
        self._members = tuple(members)
        self._hedge_s = hedge_s
        self._patience_s = patience_s
        self._probe_every_s = probe_every_s
        self._probing: asyncio.Task[None] | None = None

    async def models(self) -> Sequence[ModelInfo]:
        """The models of all servers, each once, with the languages of all.

        :raises EngineFailed: none of them answers.
        """
        looks = await asyncio.gather(*(member.look() for member in self._members), return_exceptions=True)
        failed = [look for look in looks if isinstance(look, EngineFailed)]
        self._probe_the_sleeping()
        if len(failed) == len(looks):
            raise EngineFailed("; ".join(map(str, failed)))
        return united([model for member in self._members if member.awake for model in member.offers])

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        """Transcribe with several servers; the first answer counts.

        :raises EngineFailed: no server has answered in time.
        """

        def ask(member: Member, heard: Utterance) -> Coroutine[Any, Any, Transcription]:
            return member.transcribe(request, language, heard)

        race = Race(self._name, self._order(request, language), ask, utterance)
        try:
            return await race.run(self._hedge_s, self._patience_s)
        finally:
            self._probe_the_sleeping()

    async def close(self) -> None:
        for member in self._members:
            await member.server.close()

    def _order(self, request: AsrRequest, language: str) -> list[Member]:
        """The servers to ask, one after the other; sleeping ones last, since they are better than nobody."""
        able = [member for member in self._members if member.suits(request, language)] or self._members
        return sorted(able, key=lambda member: (not member.ready, member.busy))

    def _probe_the_sleeping(self) -> None:
        """Probe sleeping servers until all are awake. The engine's loop ends it."""
        if (self._probing is None or self._probing.done()) and not all(member.awake for member in self._members):
            self._probing = asyncio.ensure_future(self._probe())

    async def _probe(self) -> None:
        while sleeping := [member for member in self._members if not member.awake]:
            await asyncio.sleep(self._probe_every_s)
            await asyncio.gather(*(member.look() for member in sleeping), return_exceptions=True)


Ask = Callable[[Member, Utterance], Coroutine[Any, Any, Transcription]]


class Race:
    """One utterance with the servers that are asked for it.

    :param order: servers to ask, one after the other.
    """

    def __init__(self, name: str, order: Sequence[Member], ask: Ask, utterance: Utterance) -> None:
        self._name = name
        self._left = list(order)
        self._ask = ask
        self._utterance = utterance
        self._running: dict[asyncio.Task[Transcription], Member] = {}

    async def run(self, hedge_s: float | None, patience_s: float) -> Transcription:
        """Wait for the first answer. The next server is asked when all before have failed, or once when they are late.

        :param hedge_s, patience_s: those of Pool.
        :raises EngineFailed: all have failed, or none has answered in time.
        """
        late = self._alarm(patience_s if hedge_s is None else min(hedge_s, patience_s))
        over = self._alarm(patience_s)
        first = self._start(self._utterance)
        hedge: asyncio.Task[Transcription] | None = None
        waits: set[asyncio.Task[Any]] = {late, over}
        try:
            while True:
                done, _ = await asyncio.wait(waits | set(self._running), return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in self._running if task in done]:
                    if (answer := self._answer(task)) is not None:
                        if hedge is not None:
                            metrics.REMOTE_HEDGES.labels("first" if task is first else "second").inc()
                        return answer
                if over in done:
                    raise EngineFailed(f"{self._name}: no transcript within {patience_s:g} s of the end of the audio")
                if late in done:
                    waits.discard(late)
                    if hedge_s is not None and self._left:
                        hedge = self._start(self._utterance.again())
        finally:
            self._stop(late=late.done())
            late.cancel()
            over.cancel()

    def _alarm(self, seconds: float) -> "asyncio.Task[None]":
        """A task that ends so many seconds after the end of the audio."""

        async def ring() -> None:
            await self._utterance.end()
            await asyncio.sleep(seconds)

        return asyncio.ensure_future(ring())

    def _start(self, utterance: Utterance) -> "asyncio.Task[Transcription]":
        """Ask the next server."""
        member = self._left.pop(0)
        task = asyncio.ensure_future(self._ask(member, utterance))
        task.add_done_callback(member.let_go)
        member.busy += 1
        self._running[task] = member
        return task

    def _answer(self, task: "asyncio.Task[Transcription]") -> Transcription | None:
        """The answer of one server; None: it has failed, and another is asked.

        :raises EngineFailed: there is no other server.
        """
        del self._running[task]
        try:
            return task.result()
        except EngineFailed as error:
            if not self._running:
                if not self._left:
                    raise
                log.warning("%s; asking %s", error, self._left[0].uri)
                self._start(self._utterance)
            return None

    def _stop(self, *, late: bool) -> None:
        """Cancel the running requests.

        :param late: whether they have taken too long.
        """
        for task, member in self._running.items():
            if late:
                member.was_late()
            task.cancel()
            task.add_done_callback(_forgotten)


def _forgotten(task: "asyncio.Task[Transcription]") -> None:
    """Take the result of a task that nobody waits for, or asyncio would complain."""
    if not task.cancelled():
        task.exception()


def united(models: Sequence[ModelInfo]) -> Sequence[ModelInfo]:
    """Join lists of models: each name once, with all languages, installed where any of them is."""
    found: dict[str, ModelInfo] = {}
    for model in models:
        known = found.get(model.name, model)
        languages = tuple(dict.fromkeys((*known.languages, *model.languages)))
        found[model.name] = replace(known, languages=languages, installed=known.installed or model.installed)
    return list(found.values())
