"""WakeRole: one client's conversation with the wake server."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram
from wyoming.wake import Detect, Detection, NotDetected

from irene_wyoming import metrics
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.config.model import AudioProfile
from irene_wyoming.engines.base import Hit, WakeEngine, WakeSession, unknown_model
from irene_wyoming.engines.worker import Worker
from irene_wyoming.servers import wire
from irene_wyoming.servers.info import select
from irene_wyoming.servers.intake import Intake
from irene_wyoming.servers.role import Peer
from irene_wyoming.servers.satellites import Satellites

log = logging.getLogger(__name__)


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


class WakeRole:
    """Hears the words that the client asked for, and no others.

    A stream begins at ``detect`` as well as at ``audio-start``: satellites of older years send no ``audio-start`` and
    repeat ``detect`` on one connection, and must not hear the old word again. The engine's session is made at
    ``audio-start``, while the satellite fills its first chunk, or with the first audio where there is none.
    """

    answers_ping = False
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
        self._session: WakeSession | None = None  # None between streams
        self._waiting = bytearray()  # converted audio that does not make a step of the engine yet
        self._heard = False  # something was detected in this stream

    @property
    def idle_ok(self) -> bool:
        """A satellite that listens keeps its connection through a silent night; one that never asked does not."""
        return self._intake is not None

    async def on_end(self) -> None:
        """Nothing: what was heard has been reported."""

    async def opened(self) -> None:
        """Nothing: models are loaded already, and a session is only made for audio."""

    async def on_event(self, event: Event) -> bool:
        if AudioChunk.is_type(event.type):
            await self._on_audio(event)
        elif Detect.is_type(event.type):
            self._models = self._known(wire.names(event.data, "names"))
            self._satellite = satellite_name(event)
            await self._restart()
        elif AudioStart.is_type(event.type):
            await self._restart(wire.audio_format(event.data))
            await self._open()
        elif AudioStop.is_type(event.type):
            await self._on_stop()
        elif SelectProgram.is_type(event.type):
            self._engine = select(self._service.programs, wire.name(event.data, "name"))
            self._models = ()
            await self._restart()
        return True

    async def close(self) -> None:
        self._waiting.clear()
        if self._session is not None:
            session, self._session = self._session, None
            await self._service.worker.run(session.close)

    async def _restart(self, announced: AudioFormat | None = None) -> None:
        await self.close()
        self._heard = False
        service = self._service
        self._intake = Intake(service.profile, service.quality, self._engine.format, announced, server="wake")

    async def _open(self) -> WakeSession:
        """The engine's session of this stream."""
        if self._session is None:
            words = self._models or self._default()
            settings = self._service.satellites.settings(words, self._host, self._satellite)
            self._session = await self._service.worker.obtain(self._engine.session, words, settings)
        return self._session

    async def _on_audio(self, event: Event) -> None:
        form = wire.audio_format(event.data)
        if self._intake is None:
            await self._restart()
            assert self._intake is not None
        given = wire.timestamp(event.data)
        timestamp = self._intake.position_ms if given is None else given
        await self._listen(self._intake.push(form, event.payload or b""), timestamp)

    async def _on_stop(self) -> None:
        if self._intake is None:
            return
        timestamp = self._intake.position_ms
        tail = self._intake.flush()
        await self._listen([tail] if tail else [], timestamp)
        if self._waiting:
            await self._push(timestamp)
        if not self._heard:
            await self._peer.send(NotDetected())
        await self._restart()

    async def _listen(self, pieces: Iterable[bytes], timestamp: int) -> None:
        """Give converted audio to the session as soon as it makes a step: handing it over costs as much as a step."""
        for pcm in pieces:
            self._waiting += pcm
            session = self._session or await self._open()
            if len(self._waiting) >= session.needs * self._engine.format.frame_bytes:
                await self._push(timestamp)

    async def _push(self, timestamp: int) -> None:
        """Have the session take what is waiting; report what it hears at the time of the client's chunk, ms."""
        session = await self._open()
        pcm = bytes(self._waiting)
        self._waiting.clear()
        for hit in await self._service.worker.run(timed_push, session, pcm, self._engine.name):
            self._heard = True
            metrics.DETECTIONS.labels(hit.model).inc()
            context = measured(hit)
            log.info("wake: %s heard %s at %d ms of its stream: %s", self._caller(), hit.model, timestamp, context)
            await self._peer.send(Detection(name=hit.model, timestamp=timestamp, context=context))

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


def satellite_name(event: Event) -> str | None:
    """What the client of a ``detect`` calls itself, so that it can have settings of its own.

    :raises ProtocolError: not a string, or too long.
    """
    context = event.data.get("context")
    return wire.name(context, "satellite") if isinstance(context, dict) else None


def timed_push(session: WakeSession, pcm: bytes, engine: str) -> Sequence[Hit]:
    """On the engine's thread."""
    began = time.perf_counter()
    hits = session.push(pcm)
    metrics.INFER_SECONDS.labels(engine).observe(time.perf_counter() - began)
    return hits


def measured(hit: Hit) -> dict[str, float]:
    """What a hub needs to tell which of several rooms heard a word best: score, level (dBFS), SNR (dB)."""
    values = {"score": (hit.score, 3), "level": (hit.level_dbfs, 1), "snr": (hit.snr_db, 1)}
    return {name: round(value, places) for name, (value, places) in values.items() if value is not None}
