"""Hearing: one stream of a client. What an engine hears in it becomes detections, figures and lines of the log."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace

from wyoming.wake import Detection

from irene_wyoming import metrics
from irene_wyoming.engines.base import Hit, OnScore, Score, WakeEngine, WakeSession, WakeSettings
from irene_wyoming.engines.wake.followed import FollowedSession, Told
from irene_wyoming.engines.wake.live import LiveSession
from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.second import Verdict
from irene_wyoming.engines.wake.session import NEARLY
from irene_wyoming.news import NEWS
from irene_wyoming.servers import heard
from irene_wyoming.servers.arbitration import Arbitration, Bid
from irene_wyoming.servers.judge import REFRACTORY_S, Judge
from irene_wyoming.servers.lag import Sender
from irene_wyoming.servers.satellites import strict
from irene_wyoming.servers.shown import ShownStream
from irene_wyoming.servers.times import Times
from irene_wyoming.servers.wake_service import Listener, WakeService

log = logging.getLogger(__name__)

TELL_LAG_EVERY_S = 10.0
"""How often the log says of one stream that audio was dropped."""


BEHIND_SHARE = 0.3
"""Share of the longest lag. Engines that are so far behind get the time that second looks would take."""

MOST_LOOKS = 4
"""Second looks that one recording may wait for: who sends it faster than they are taken is read no further."""


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
        self._context = copy_context()  # of this conversation, for what the engines' thread tells
        self._times = Times()
        self._sender = Sender(service.max_lag_s)
        self._most_bytes = round(service.max_lag_s * self._form.rate) * self._form.frame_bytes
        self._behind_s = BEHIND_SHARE * service.max_lag_s
        self._told_lag: float | None = None  # when the log last said that audio was dropped
        self._dropped_s = 0.0  # since then
        self._waiting = bytearray()  # converted audio in which no word can be heard yet
        self._followed: FollowedSession | None = None
        self._session: LiveSession | None = None
        self._looks: dict[asyncio.Task[None], str] = {}
        """Second looks, and contests with other satellites, each with its word."""
        self._judge: Judge | None = None  # None: there is no second look
        self._stamps: dict[str, int] = {}
        """By word: the client's time at which it was heard last."""
        self._verdicts: dict[str, Verdict] = {}
        """By word: the last second look that took it."""
        self._refusals: dict[str, tuple[int, Verdict]] = {}
        """By word: the last second look that did not take it, and the frame of that."""
        self._settings: Mapping[str, WakeSettings] = {}
        words = [self._name(model) for model in listener.asked]
        self._shown = ShownStream("satellite", listener.caller, self._form.rate, words)
        self._revision = service.satellites.revision
        self.found = False
        """Something was detected."""

    @property
    def outdated(self) -> bool:
        """Its words are to be heard otherwise than when it was opened."""
        return self._revision != self._service.satellites.revision

    async def open(self, hurry: Callable[[], None]) -> None:
        """Make the engine's session.

        :param hurry: is called when audio is wanted sooner than was said before.
        :raises EngineFailed: a word's model does not work.
        """
        words = list(self._listener.asked)
        settings = self._service.satellites.settings(words, self._listener.host, self._listener.satellite)
        looked_at = self._looked_at(words, settings)
        low = [word for word in looked_at if not strict(settings.get(word))]
        settings |= {word: replace(settings.get(word, WakeSettings()), verify="on") for word in looked_at}
        self._settings = settings
        if self._service.second is not None:
            self._judge = Judge(self._service.second, self._service.phrases, settings, self._form.rate)
        if self._service.second is not None and (looked_at or self._service.typed & set(words)):
            self._service.second.prepare()
        told = Told(self._later(self._on_near), self._later(self._on_peak))

        def session(on_score: OnScore) -> WakeSession:
            def scored(score: Score) -> None:
                self._shown.scored(score)
                on_score(score)

            return self._engine.session(words, settings, scored)

        worker = self._service.worker
        self._followed = await worker.obtain(FollowedSession, session, self._form.rate, told, looked_at, low)
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
        self._shown.heard(pcm)
        frames = self._form.frames(len(pcm))
        self._times.add(frames, stamps)
        self._sender.arrived(frames / self._form.rate, time.monotonic())
        if len(self._waiting) < self._session.needs * self._form.frame_bytes:
            return
        self.rest()
        if self._sender.live:
            if self._service.second is not None and self._session.waited_s > self._behind_s:
                self._service.second.rest()
            self._drop(self._session.drop(self._most_bytes))
        else:
            await self._session.room()
            while len(self._looks) > MOST_LOOKS:
                await asyncio.wait(self._looks, return_when=asyncio.FIRST_COMPLETED)

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
        while self._looks:
            await asyncio.wait(self._looks)
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
        self._shown.hide()
        if self._session is not None:
            self._log_stream()
            for look in self._looks:
                look.cancel()
            self._session.close()
            self._session = self._followed = None

    def _looked_at(self, words: Sequence[str], settings: Mapping[str, WakeSettings]) -> list[str]:
        """The words that a second look decides on."""
        if self._service.second is None:
            return []
        wanted = {word: settings[word].verify if word in settings else None for word in words}
        return [word for word in words if self._service.verified(word, wanted[word])]

    def _later(self, call: Callable[..., None]) -> Callable[..., None]:
        """The same call from the engines' thread."""

        def later(*args: object) -> None:
            with suppress(RuntimeError):  # the loop has been closed: nobody listens any more
                self._loop.call_soon_threadsafe(call, *args, context=self._context)

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
        for hit in hits:
            timestamp = self._times.at(hit.frame)
            if not isinstance(hit, Proposed):
                self._tell(hit, timestamp)
            elif self._judge is not None and not self._judge.deaf(hit.model, hit.frame):
                earlier = [] if hit.phrases else [task for task, word in self._looks.items() if word == hit.model]
                look = self._loop.create_task(
                    self._look(hit, timestamp, earlier), name="second look", context=self._context
                )
                self._started(look, hit.model)

    def _started(self, task: asyncio.Task[None], word: str) -> None:
        self._looks[task] = word
        task.add_done_callback(lambda done: self._looks.pop(done, None))

    async def _look(self, hit: Proposed, timestamp: int, earlier: Sequence[asyncio.Task[None]]) -> None:
        """Have a second look decide whether a word was said.

        :param timestamp: of the client's chunk; when the look is over nobody may know it any more.
        :param earlier: looks at the same word, which may take it.
        """
        assert self._judge is not None
        if earlier and not hit.usual:
            await asyncio.wait(earlier)
        verdict = await self._judge.look(hit, live=self._sender.live)
        if self._session is None or self._followed is None or verdict is None:
            return  # over, or told meanwhile
        taken = self._judge.taken(hit, verdict)
        if taken is not None:
            self._followed.accept(taken)
            self._tell(taken, timestamp, verdict)
        elif not hit.phrases:  # of speech that was looked at for words that are only typed nobody wants to know
            if verdict.look is not None:
                self._followed.refuse(hit)
            before, _ = self._refusals.get(verdict.word, (None, verdict))
            self._refusals[verdict.word] = (hit.frame, verdict)
            if before is None or hit.frame - before > REFRACTORY_S * self._form.rate:  # else it is the same moment
                name, where = self._name(verdict.word), hit.frame / self._form.rate
                log.info("wake: %s", heard.refused(self._listener.caller, name, hit, verdict, where))

    def _tell(self, hit: Hit, timestamp: int, verdict: Verdict | None = None) -> None:
        """A word was heard."""
        self._stamps[hit.model] = timestamp
        if verdict is not None:
            self._verdicts[hit.model] = verdict
        if self._listener.wants_peak:
            self.found = True  # reported when the word has passed
        else:
            self._bid(self._service.arbitration, hit)

    def _bid(self, arbitration: Arbitration, hit: Hit) -> None:
        """Have the client told, unless a nearer satellite is to answer."""
        bid = Bid.of(self._listener.caller, id(self), hit)
        later_s = arbitration.later_by(hit.model, bid)
        if later_s is not None:
            NEWS.tell("together", word=self._name(hit.model), caller=bid.satellite, later_ms=round(later_s * 1000))
        if not arbitration.on:
            self._detected(hit)
            return
        contest = self._loop.create_task(
            self._contend(arbitration, bid, hit), name="arbitration", context=self._context
        )
        self._started(contest, hit.model)

    async def _contend(self, arbitration: Arbitration, bid: Bid, hit: Hit) -> None:
        """Have the client told unless a nearer satellite answers."""
        best = await arbitration.winner(hit.model, bid)
        if best is bid:
            self._detected(hit)
            return
        metrics.ANSWERED_ELSEWHERE.labels(hit.model).inc()
        log.info(
            "wake: %s heard %s (%.1f dB), and %s answers, which heard it better (%.1f dB)",
            bid.satellite, self._name(hit.model), bid.value, best.satellite, best.value,
        )  # fmt: skip

    def _detected(self, hit: Hit, peak: float | None = None) -> None:
        self.found = True
        metrics.DETECTIONS.labels(hit.model).inc()
        context = heard.measured(hit, peak, self._verdicts.get(hit.model))
        self._report(Detection(name=self._name(hit.model), timestamp=self._stamps[hit.model], context=context))

    def _on_peak(self, hit: Hit, peak: float) -> None:
        """A word that was heard has passed."""
        caller, where, verdict = self._listener.caller, hit.frame / self._form.rate, self._verdicts.get(hit.model)
        name = self._name(hit.model)
        metrics.WORD_TIMESTAMP.labels(hit.model).set_to_current_time()
        metrics.WORD_SCORE.labels(hit.model).set(peak)
        log.info("wake: %s", heard.heard(caller, name, hit, peak, where, verdict))
        NEWS.tell("word", **heard.shown(caller, name, hit, peak, self._shown.steps(hit.model), verdict), heard=True)
        if self._listener.wants_peak:
            self._detected(hit, peak)

    def _on_near(self, score: Score) -> None:
        """A word was nearly heard."""
        metrics.NEAR_MISSES.labels(score.word).inc()
        caller, name, steps = self._listener.caller, self._name(score.word), self._shown.steps(score.word)
        frame, verdict = self._refusals.pop(score.word, (0, None))
        if verdict is None or abs(score.frame - frame) > REFRACTORY_S * self._form.rate:
            verdict = None
            log.info("wake: %s", heard.nearly(caller, name, score, self._place_s(score)))
        NEWS.tell("word", **heard.shown(caller, name, score, score.score, steps, verdict), heard=False)

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
