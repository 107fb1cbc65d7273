"""WakeRole: one client's conversation with the wake server."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from irene_wyoming import metrics
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.config.model import AudioProfile
from irene_wyoming.engines.base import Hit, Score, WakeEngine, unknown_model
from irene_wyoming.engines.wake.live import ROOM_BYTES, LiveSession
from irene_wyoming.engines.worker import Worker
from irene_wyoming.servers.info import select
from irene_wyoming.servers.intake import Intake
from irene_wyoming.servers.pace import Pace
from irene_wyoming.servers.role import Peer
from irene_wyoming.servers.satellites import Satellites
from irene_wyoming.wire import fields
from irene_wyoming.wire.audio import audio_format, chunks

log = logging.getLogger(__name__)


PUNCTUAL_S = 0.001
"""Audio that was due a moment ago is here: to look for it once more would cost more than this wait."""

REMEMBERED_S = 2 * SPEECH.seconds(ROOM_BYTES)
"""Of a stream, for how long the timestamps of its chunks are kept: twice what may wait for the engine, since what has
been given last, and what a closed gate looks at together, come on top of it."""

FINEST = SPEECH.rate // 100
"""Frames, 10 ms. Of shorter chunks not every timestamp is kept: a client could send one with every frame."""

NEARLY = 0.2
"""A score from which whoever spoke may have meant the word. Ordinary speech seldom gets there: it scores below 0.05."""


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


class Times:
    """Which timestamp of the client belongs to a frame of what its session hears."""

    def __init__(self) -> None:
        self.frames = 0
        """So far."""
        self._chunks: deque[tuple[int, int]] = deque()  # the frame at which each ends, and its timestamp, ms
        self._last = 0  # the frame at which the last of them begins

    def __len__(self) -> int:
        """Timestamps that are kept."""
        return len(self._chunks)

    def add(self, frames: int, chunks: Sequence[tuple[float, int]]) -> None:
        """So many frames more come from these chunks: up to which share of them each lasts, and its timestamp.

        :param chunks: empty: the frames come from the last chunk before.
        """
        for share, timestamp in chunks:
            end = self.frames + round(share * frames)
            if self._chunks and end < self._last + FINEST:
                self._chunks[-1] = end, self._chunks[-1][1]
            else:
                self._last = self._chunks[-1][0] if self._chunks else self.frames
                self._chunks.append((end, timestamp))
        self.frames += frames
        while self._chunks and self._chunks[0][0] < self.frames - REMEMBERED_S * SPEECH.rate:
            self._chunks.popleft()

    def at(self, frame: int) -> int:
        """The timestamp of the chunk with this frame, counted from 1; of the last one where there is none, 0 where
        there is not even that.
        """
        last = self._chunks[-1][1] if self._chunks else 0
        return next((timestamp for end, timestamp in self._chunks if end >= frame), last)


class Closest:
    """The highest score in a stream, so that one can see why nothing was heard. Called on the engines' thread."""

    def __init__(self) -> None:
        self.found: Score | None = None
        """None: the audio was too short for a single step."""

    def __call__(self, score: Score) -> None:
        if self.found is None or score.score > self.found.score:
            self.found = score


class WakeRole:
    """Hears the words that the client asked for, and no others.

    A stream begins at ``detect`` as well as at ``audio-start``: satellites of older years send no ``audio-start`` and
    repeat ``detect`` on one connection, and must not hear the old word again. The engine's session is made at
    ``audio-start``, while the satellite fills its first chunk, or with the first audio where there is none.
    """

    takes_runs = True
    owes_answer = False  # a word that is not heard is not waited for; the satellite connects again

    def __init__(self, service: WakeService, peer: Peer, host: str = "") -> None:
        """:param host: the address that the client connects from; empty for a unix socket."""
        self._service = service
        self._peer = peer
        self._host = host
        self._satellite: str | None = None  # what the client calls itself
        self._engine = next(iter(service.programs.values()))
        self._models: Sequence[str] = ()
        self._intake: Intake | None = None
        self._session: LiveSession | None = None  # None between streams
        self._waiting = bytearray()  # converted audio in which no word can be heard yet
        self._pace = Pace()
        self._times = Times()
        self._closest = Closest()
        self._heard = False  # something was detected in this stream
        self._reports: asyncio.Queue[Detection | Exception] = asyncio.Queue()
        self._reporter: asyncio.Task[None] | None = None  # None until the first session

    @property
    def idle_ok(self) -> bool:
        """A satellite that listens keeps its connection through a silent night; one that never asked does not."""
        return self._intake is not None

    @property
    def answers_ping(self) -> bool:
        """True while listening: the answer comes after everything that was heard before the ping."""
        return self._session is not None

    @property
    def quiet_s(self) -> float:
        """Until the client, if it goes on as it does, has sent what the session needs."""
        if self._session is None:
            return 0.0
        form = self._engine.format
        missing = self._session.needs - form.frames(len(self._waiting))
        return self._pace.due(missing / form.rate, time.monotonic()) + PUNCTUAL_S

    async def on_end(self) -> None:
        """Nothing: what was heard has been reported."""

    async def opened(self) -> None:
        """Nothing: models are loaded already, and a session is only made for audio."""

    async def on_event(self, event: Event) -> bool:
        if AudioChunk.is_type(event.type):
            await self._on_audio(event)
        elif Detect.is_type(event.type):
            self._models = self._known(fields.names(event.data, "names"))
            self._satellite = satellite_name(event)
            await self._restart()
        elif AudioStart.is_type(event.type):
            await self._restart(audio_format(event.data))
            await self._open()
        elif AudioStop.is_type(event.type):
            await self._on_stop()
        elif SelectProgram.is_type(event.type):
            self._engine = select(self._service.programs, fields.name(event.data, "name"))
            self._models = ()
            await self._restart()
        elif Ping.is_type(event.type) and self._session is not None:
            await self._until_reported(self._session)
            await self._peer.send(Pong(text=fields.text(event.data, "text")))
        return True

    async def close(self) -> None:
        self._end_session()
        if self._reporter is not None:
            self._reporter.cancel()
            await asyncio.wait([self._reporter])
            self._reporter = None

    async def _restart(self, announced: AudioFormat | None = None) -> None:
        if self._session is not None:
            await self._session.heard()
            self._end_session()
        self._heard = False
        self._pace, self._times, self._closest = Pace(), Times(), Closest()
        service = self._service
        self._intake = Intake(service.profile, service.quality, self._engine.format, announced, server="wake")

    def _end_session(self) -> None:
        self._waiting.clear()
        if self._session is not None:
            session, self._session = self._session, None
            self._log_stream()
            session.close()

    async def _open(self) -> LiveSession:
        """The engine's session of this stream."""
        if self._session is None:
            words = self._models or self._default()
            settings = self._service.satellites.settings(words, self._host, self._satellite)
            worker = self._service.worker
            session = await worker.obtain(self._engine.session, words, settings, self._closest)
            self._session = LiveSession(
                session, worker, self._engine.name, self._on_hits, self._reports.put_nowait, self._peer.hurry
            )
            if self._reporter is None:
                self._reporter = self._peer.spawn(self._report(), "detections")
        return self._session

    async def _on_audio(self, event: Event) -> None:
        form = audio_format(event.data)
        if self._intake is None:
            await self._restart()
            assert self._intake is not None
        arrived = chunks(event)
        (first, _), (size, _) = arrived[0], arrived[-1]
        now = time.monotonic()
        self._pace.arrived(form.seconds(first), now)
        if first < size:  # the rest came at the same time, so sooner than it was spoken
            self._pace.arrived(form.seconds(size - first), now)
        stamps = stamped(arrived, form, self._intake)
        pieces: Iterable[bytes] = self._intake.push(form, event.payload or b"")
        if len(stamps) > 1:  # they are shares of all of it
            pieces = filter(None, [b"".join(pieces)])
        await self._listen(pieces, stamps)

    async def _on_stop(self) -> None:
        if self._intake is None:
            return
        tail = self._intake.flush()
        await self._listen([tail] if tail else [], [])  # it comes from the last chunk
        if self._waiting:
            self._give(await self._open())
        if self._session is not None:
            await self._until_reported(self._session)
        if not self._heard:
            await self._peer.send(NotDetected(context=self._nearest()))
        await self._restart()

    async def _listen(self, pieces: Iterable[bytes], stamps: Sequence[tuple[float, int]]) -> None:
        """Give converted audio to the session when a word could be heard: handing it over costs as much as a step.

        :param stamps: of the client's chunks that each piece comes from, as ``Times.add`` takes them.
        """
        form = self._engine.format
        for pcm in pieces:
            self._waiting += pcm
            self._times.add(form.frames(len(pcm)), stamps)
            session = self._session or await self._open()
            if len(self._waiting) >= session.needs * form.frame_bytes:
                self._give(session)
                await session.room()

    def _give(self, session: LiveSession) -> None:
        session.give(bytes(self._waiting))
        self._waiting.clear()

    async def _until_reported(self, session: LiveSession) -> None:
        """Wait until everything has been heard that was sent, but for what cannot be a word yet, and told."""
        await session.heard()
        await self._reports.join()

    def _on_hits(self, hits: Sequence[Hit]) -> None:
        """Have the client told what was heard, at the time of its own chunk."""
        self._heard = True
        for hit in hits:
            timestamp = self._times.at(hit.frame)
            metrics.DETECTIONS.labels(hit.model).inc()
            context = measured(hit)
            log.info("wake: %s heard %s at %d ms of its stream: %s", self._caller(), hit.model, timestamp, context)
            self._reports.put_nowait(Detection(name=hit.model, timestamp=timestamp, context=context))

    async def _report(self) -> None:
        """Send what was heard, in order, until the session fails."""
        while True:
            report = await self._reports.get()
            if isinstance(report, Exception):
                raise report
            await self._peer.send(report)
            self._reports.task_done()

    def _nearest(self) -> dict[str, object] | None:
        """What came closest to a word, for the client; None: nothing did."""
        found = self._closest.found
        if found is None:
            return None
        return {"closest": found.word, "score": round(found.score, 3), "timestamp": self._place_ms(found)}

    def _log_stream(self) -> None:
        """Say of a stream without a word whether there was audio, and what came closest to a word."""
        if self._heard:
            return
        found = self._closest.found
        level = logging.INFO if found is not None and found.score >= NEARLY else logging.DEBUG
        what = "nothing" if found is None else f"{found.word}, score {found.score:.2f} at {self._place_ms(found)} ms"
        seconds = self._times.frames / self._engine.format.rate
        log.log(level, "wake: %s: no word in %.1f s of audio; closest was %s", self._caller(), seconds, what)

    def _place_ms(self, score: Score) -> int:
        """In the audio of this stream."""
        return score.frame * 1000 // self._engine.format.rate

    def _caller(self) -> str:
        """Whom the log names."""
        return self._satellite or self._host or "unix socket"

    def _known(self, names: Sequence[str]) -> Sequence[str]:
        """:raises UnknownModel: a name that the selected program does not have."""
        known = self._engine.models()
        for name in names:
            if all(name != info.name for info in known):
                raise unknown_model(name, known)
        return names

    def _default(self) -> Sequence[str]:
        known = [info.name for info in self._engine.models()]
        return [name for name in self._service.default_models if name in known] or known[:1]


def stamped(chunks: Sequence[tuple[int, int | None]], form: AudioFormat, intake: Intake) -> Sequence[tuple[float, int]]:
    """Of the chunks that ``intake`` gets next: up to which share of them each lasts, and its timestamp, ms; where the
    client sent none, its place in the stream.
    """
    size = chunks[-1][0] or 1
    starts = (0, *(end for end, _ in chunks))
    return [
        (end / size, intake.place_ms(form.frames(start), form) if timestamp is None else timestamp)
        for start, (end, timestamp) in zip(starts, chunks, strict=False)  # the last end starts nothing
    ]


def satellite_name(event: Event) -> str | None:
    """What the client of a ``detect`` calls itself, so that it can have settings of its own.

    :raises ProtocolError: not a string, or too long.
    """
    context = event.data.get("context")
    return fields.name(context, "satellite") if isinstance(context, dict) else None


def measured(hit: Hit) -> dict[str, float]:
    """What a hub needs to tell which of several rooms heard a word best: score, level (dBFS), SNR (dB)."""
    values = {"score": (hit.score, 3), "level": (hit.level_dbfs, 1), "snr": (hit.snr_db, 1)}
    return {name: round(value, places) for name, (value, places) in values.items() if value is not None}
