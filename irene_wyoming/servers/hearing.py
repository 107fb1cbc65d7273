"""Hearing: turns what an engine hears in one client's stream into detections, metrics and log lines."""

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
"""Seconds between two log lines about dropped audio of one stream."""


BEHIND_SHARE = 0.3
"""Share of the longest lag at which engines are so far behind that second looks leave them the time."""

MOST_LOOKS = 4
"""Most second looks that one recording may wait for; then its client is read no further."""


class Hearing:
    """One stream of one client. Its methods are for the event loop's thread unless they say otherwise."""

    def __init__(
        self,
        service: WakeService,
        engine: WakeEngine,
        listener: Listener,
        report: Callable[[Detection | Exception], None],
    ) -> None:
        """:param report: takes detections for the client, or the error that has broken the session, in order."""
        self._service = service
        self._engine = engine
        self._listener = listener
        self._report = report
        self._form = engine.format
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()  # context of this conversation, for callbacks from the engines' thread
        self._times = Times()
        self._sender = Sender(service.max_lag_s)
        self._most_bytes = round(service.max_lag_s * self._form.rate) * self._form.frame_bytes
        self._behind_s = BEHIND_SHARE * service.max_lag_s
        self._told_lag: float | None = None  # when dropped audio was last logged
        self._dropped_s = 0.0  # seconds dropped since then
        self._waiting = bytearray()  # converted audio in which no word can be heard yet
        self._followed: FollowedSession | None = None
        self._session: LiveSession | None = None
        self._looks: dict[asyncio.Task[None], str] = {}
        """Running second looks and contests with other satellites, each with its word."""
        self._judge: Judge | None = None  # None: there is no second look
        self._stamps: dict[str, int] = {}
        """The client's timestamp of each word's last hit."""
        self._verdicts: dict[str, Verdict] = {}
        """The last second look that accepted each word."""
        self._refusals: dict[str, tuple[int, Verdict]] = {}
        """The last second look that rejected each word, with its frame."""
        self._settings: Mapping[str, WakeSettings] = {}
        words = [self._name(model) for model in listener.asked]
        self._shown = ShownStream("satellite", listener.caller, self._form.rate, words)
        self._revision = service.satellites.revision
        self.found = False
        """Whether anything was detected."""

    @property
    def outdated(self) -> bool:
        """Whether the words' settings have changed since the session was opened."""
        return self._revision != self._service.satellites.revision

    async def open(self, hurry: Callable[[], None]) -> None:
        """Make the engine's session.

        :param hurry: called when audio is wanted sooner than announced.
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
        """Gather converted audio and give it to the session once a word could be heard: a hand-over costs as much as a
        step.

        :param stamps: the client's chunks behind the audio, as ``Times.add`` takes them.
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
        """Give gathered audio to the session, though no word may be heard in it yet."""
        assert self._session is not None
        if self._waiting:
            self._session.give(bytes(self._waiting))
            self._waiting.clear()

    async def heard(self) -> None:
        """Wait until all given audio has been heard and reported."""
        assert self._session is not None
        assert self._followed is not None
        await self._session.heard()
        while self._looks:
            await asyncio.wait(self._looks)
        if self._listener.wants_peak:
            self._followed.settle()
            await asyncio.sleep(0)  # its callbacks run before this goes on

    def nearest(self) -> dict[str, object] | None:
        """The nearest miss, for the client; None: there was none."""
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
        """The words on which a second look decides."""
        if self._service.second is None:
            return []
        wanted = {word: settings[word].verify if word in settings else None for word in words}
        return [word for word in words if self._service.verified(word, wanted[word])]

    def _later(self, call: Callable[..., None]) -> Callable[..., None]:
        """Wrap a call so that the engines' thread can make it on the event loop."""

        def later(*args: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(call, *args, context=self._context)

        return later

    def _drop(self, size: int) -> None:
        """Count dropped audio, and log it now and then."""
        if not size:
            return
        seconds = self._form.seconds(size)
        metrics.STALE_SECONDS.inc(seconds)
        self._service.dropped(seconds)
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
        """Report hits to the client with the timestamp of its own chunk; proposals go to a second look."""
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
        """Let a second look decide whether a word was said.

        :param timestamp: the client's chunk's, taken now: after the look it may be forgotten.
        :param earlier: running looks at the same word, which may accept it.
        """
        assert self._judge is not None
        if earlier and not hit.usual:
            await asyncio.wait(earlier)
        verdict = await self._judge.look(hit, live=self._sender.live)
        if self._session is None or self._followed is None or verdict is None:
            return  # the stream is over, or the word was reported meanwhile
        taken = self._judge.taken(hit, verdict)
        if taken is not None:
            self._followed.accept(taken)
            self._tell(taken, timestamp, verdict)
        elif not hit.phrases:  # rejected looks for typed words interest nobody
            if verdict.look is not None:
                self._followed.refuse(hit)
            before, _ = self._refusals.get(verdict.word, (None, verdict))
            self._refusals[verdict.word] = (hit.frame, verdict)
            if before is None or hit.frame - before > REFRACTORY_S * self._form.rate:  # otherwise it is the same moment
                name, where = self._name(verdict.word), hit.frame / self._form.rate
                log.info("wake: %s", heard.refused(self._listener.caller, name, hit, verdict, where))

    def _tell(self, hit: Hit, timestamp: int, verdict: Verdict | None = None) -> None:
        """Report a word that was heard, at once or when its peak is known."""
        self._stamps[hit.model] = timestamp
        if verdict is not None:
            self._verdicts[hit.model] = verdict
        if self._listener.wants_peak:
            self.found = True  # reported when the word has passed
        else:
            self._bid(self._service.arbitration, hit)

    def _bid(self, arbitration: Arbitration, hit: Hit) -> None:
        """Report a word unless a nearer satellite is to answer."""
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
        """Report a word unless a nearer satellite answers."""
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
        """Log and report a heard word after it has passed."""
        caller, where, verdict = self._listener.caller, hit.frame / self._form.rate, self._verdicts.get(hit.model)
        name = self._name(hit.model)
        metrics.WORD_TIMESTAMP.labels(hit.model).set_to_current_time()
        metrics.WORD_SCORE.labels(hit.model).set(peak)
        log.info("wake: %s", heard.heard(caller, name, hit, peak, where, verdict))
        NEWS.tell("word", **heard.shown(caller, name, hit, peak, self._shown.steps(hit.model), verdict), heard=True)
        if self._listener.wants_peak:
            self._detected(hit, peak)

    def _on_near(self, score: Score) -> None:
        """Log and show a near miss."""
        metrics.NEAR_MISSES.labels(score.word).inc()
        caller, name, steps = self._listener.caller, self._name(score.word), self._shown.steps(score.word)
        frame, verdict = self._refusals.pop(score.word, (0, None))
        if verdict is None or abs(score.frame - frame) > REFRACTORY_S * self._form.rate:
            verdict = None
            log.info("wake: %s", heard.nearly(caller, name, score, self._place_s(score)))
        NEWS.tell("word", **heard.shown(caller, name, score, score.score, steps, verdict), heard=False)

    def _log_stream(self) -> None:
        """Log a stream without a word: whether it had audio, and its nearest miss."""
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
        """The place of a score in this stream's audio, seconds."""
        return score.frame / self._form.rate

    def _name(self, model: str) -> str:
        """The client's name of a model."""
        return self._listener.asked.get(model, model)
