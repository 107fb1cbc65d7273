"""Hearing: one stream of a client. What an engine hears in it becomes detections, figures and lines of the log."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from wyoming.wake import Detection

from irene_wyoming import metrics
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.config.model import AudioProfile
from irene_wyoming.engines.base import Hit, OnScore, Score, WakeEngine, WakeSession
from irene_wyoming.engines.wake.followed import FollowedSession, Told
from irene_wyoming.engines.wake.live import LiveSession
from irene_wyoming.engines.wake.session import NEARLY
from irene_wyoming.engines.worker import Worker
from irene_wyoming.servers import heard
from irene_wyoming.servers.lag import Sender
from irene_wyoming.servers.satellites import Satellites
from irene_wyoming.servers.times import Times

log = logging.getLogger(__name__)

TELL_LAG_EVERY_S = 10.0
"""How often the log says of one stream that audio was dropped."""


@dataclass(frozen=True, slots=True)
class WakeService:
    """What all conversations with one wake server share."""

    programs: Mapping[str, WakeEngine]
    """By name; the first is used where a client selects none."""
    default_models: Sequence[str]
    """Words to listen for where a client names none; those that the program has."""
    profile: AudioProfile
    quality: str | AdaptivePolicy
    worker: Worker
    satellites: Satellites
    max_lag_s: float = 3.0
    """Audio of a live stream that waits for longer is dropped."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens, and for what."""

    asked: Mapping[str, str]
    """By model: what the client calls it. Empty: it named none."""
    host: str
    """The address that it connects from; empty for a unix socket."""
    satellite: str | None = None
    """What it calls itself."""
    wants_peak: bool = False
    """It would rather know how high a word scored in the end than hear of it at once."""

    @property
    def caller(self) -> str:
        """Whom the log names."""
        return self.satellite or self.host or "unix socket"

    def asking(self, models: Sequence[str]) -> "Listener":
        """The same one, asking for these models."""
        return replace(self, asked={model: model for model in models})


class Hearing:
    """Everything is for the event loop's thread but where it says otherwise."""

    def __init__(
        self,
        service: WakeService,
        engine: WakeEngine,
        listener: Listener,
        report: Callable[[Detection | Exception], None],
    ) -> None:
        """:param report: takes what the client is to be told, or what has broken the session, in order."""
        self._service = service
        self._engine = engine
        self._listener = listener
        self._report = report
        self._form = engine.format
        self._loop = asyncio.get_running_loop()
        self._times = Times()
        self._sender = Sender(service.max_lag_s)
        self._most_bytes = round(service.max_lag_s * self._form.rate) * self._form.frame_bytes
        self._told_lag: float | None = None  # when the log last said that audio was dropped
        self._dropped_s = 0.0  # since then
        self._waiting = bytearray()  # converted audio in which no word can be heard yet
        self._followed: FollowedSession | None = None
        self._session: LiveSession | None = None
        self.found = False
        """Something was detected."""

    async def open(self, hurry: Callable[[], None]) -> None:
        """Make the engine's session.

        :param hurry: is called when audio is wanted sooner than was said before.
        :raises EngineFailed: a word's model does not work.
        """
        words = list(self._listener.asked)
        settings = self._service.satellites.settings(words, self._listener.host, self._listener.satellite)
        told = Told(self._later(self._on_near), self._later(self._on_peak))

        def session(on_score: OnScore) -> WakeSession:
            return self._engine.session(words, settings, on_score)

        worker = self._service.worker
        self._followed = await worker.obtain(FollowedSession, session, self._form.rate, told)
        self._session = LiveSession(self._followed, worker, self._engine.name, self._on_hits, self._report, hurry)

    @property
    def missing_s(self) -> float:
        """Seconds of audio until a word could be heard."""
        assert self._session is not None
        return (self._session.needs - self._form.frames(len(self._waiting))) / self._form.rate

    async def listen(self, pcm: bytes, stamps: Sequence[tuple[float, int]]) -> None:
        """Give converted audio to the session when a word could be heard: handing it over costs as much as a step.

        :param stamps: of the client's chunks that it comes from, as ``Times.add`` takes them.
        """
        assert self._session is not None
        self._waiting += pcm
        frames = self._form.frames(len(pcm))
        self._times.add(frames, stamps)
        self._sender.arrived(frames / self._form.rate, time.monotonic())
        if len(self._waiting) < self._session.needs * self._form.frame_bytes:
            return
        self.rest()
        if self._sender.live:
            self._drop(self._session.drop(self._most_bytes))
        else:
            await self._session.room()

    def rest(self) -> None:
        """Give what is there to the session, though no word may be heard in it yet."""
        assert self._session is not None
        if self._waiting:
            self._session.give(bytes(self._waiting))
            self._waiting.clear()

    async def heard(self) -> None:
        """Wait until everything has been heard that was given, and reported."""
        assert self._session is not None
        assert self._followed is not None
        await self._session.heard()
        if self._listener.wants_peak:
            self._followed.settle()
            await asyncio.sleep(0)  # what it tells comes before this

    def nearest(self) -> dict[str, object] | None:
        """What came closest to a word, for the client; None: nothing did."""
        found = self._followed.closest if self._followed else None
        if found is None:
            return None
        return {"closest": found.word, "score": round(found.score, 3), "timestamp": round(self._place_s(found) * 1000)}

    def close(self) -> None:
        self._waiting.clear()
        if self._session is not None:
            self._log_stream()
            self._session.close()
            self._session = self._followed = None

    def _later(self, call: Callable[..., None]) -> Callable[..., None]:
        """The same call from the engines' thread."""

        def later(*args: object) -> None:
            with suppress(RuntimeError):  # the loop has been closed: nobody listens any more
                self._loop.call_soon_threadsafe(call, *args)

        return later

    def _drop(self, size: int) -> None:
        """Count audio that was dropped, and say so now and then."""
        if not size:
            return
        seconds = self._form.seconds(size)
        metrics.STALE_SECONDS.inc(seconds)
        self._dropped_s += seconds
        now = time.monotonic()
        if self._told_lag is None or now - self._told_lag >= TELL_LAG_EVERY_S:
            log.warning(
                "wake: %s: %.1f s of audio dropped, since the engines are more than %g s behind: this machine has too "
                "many streams for them; microwakeword takes the least",
                self._listener.caller, self._dropped_s, self._service.max_lag_s,
            )  # fmt: skip
            self._told_lag, self._dropped_s = now, 0.0

    def _on_hits(self, hits: Sequence[Hit]) -> None:
        """Have the client told what was heard, at the time of its own chunk."""
        self.found = True
        for hit in hits:
            metrics.DETECTIONS.labels(hit.model).inc()
            if not self._listener.wants_peak:
                self._detected(hit)

    def _detected(self, hit: Hit, peak: float | None = None) -> None:
        context = heard.measured(hit, peak)
        self._report(Detection(name=self._name(hit.model), timestamp=self._times.at(hit.frame), context=context))

    def _on_peak(self, hit: Hit, peak: float) -> None:
        """A word that was heard has passed."""
        line = heard.heard(self._listener.caller, self._name(hit.model), hit, peak, hit.frame / self._form.rate)
        log.info("wake: %s", line)
        if self._listener.wants_peak:
            self._detected(hit, peak)

    def _on_near(self, score: Score) -> None:
        """A word was nearly heard."""
        metrics.NEAR_MISSES.labels(score.word).inc()
        line = heard.nearly(self._listener.caller, self._name(score.word), score, self._place_s(score))
        log.info("wake: %s", line)

    def _log_stream(self) -> None:
        """Say of a stream without a word whether there was audio, and what came closest to a word."""
        if self.found:
            return
        found = self._followed.closest if self._followed else None
        level = logging.INFO if found is not None and found.score >= NEARLY else logging.DEBUG
        what = "nothing"
        if found is not None:
            what = f"{self._name(found.word)}, score {found.score:.2f} at {self._place_s(found):.1f} s"
        seconds = self._times.frames / self._form.rate
        log.log(level, "wake: %s: no word in %.1f s of audio; closest was %s", self._listener.caller, seconds, what)

    def _place_s(self, score: Score) -> float:
        """In the audio of this stream."""
        return score.frame / self._form.rate

    def _name(self, model: str) -> str:
        """What the client calls it."""
        return self._listener.asked.get(model, model)
