"""AsrRole: one client's conversation with the speech-to-text server."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram

from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.config.model import AudioProfile
from irene_wyoming.engines.base import AsrEngine, AsrRequest, AsrSession, Transcription
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import LimitExceeded
from irene_wyoming.servers import wire
from irene_wyoming.servers.info import select
from irene_wyoming.servers.intake import Intake
from irene_wyoming.servers.role import Peer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AsrService:
    """What all conversations with one speech-to-text server share."""

    programs: Mapping[str, AsrEngine]
    """By name; the first is used where a client selects none."""
    language: str
    profile: AudioProfile
    quality: str | AdaptivePolicy
    max_utterance_s: float
    worker: Worker


class AsrRole:
    """Transcribes one utterance, then ends the conversation."""

    idle_ok = False
    answers_ping = False

    def __init__(self, service: AsrService, peer: Peer) -> None:
        self._service = service
        self._peer = peer
        self._engine = next(iter(service.programs.values()))
        self._request = AsrRequest(language=service.language)
        self._intake: Intake | None = None
        self._session: AsrSession | None = None  # None until the first audio
        self._seconds = 0.0  # of audio given to the session

    async def on_end(self) -> None:
        """Nothing: without an audio-stop there is no utterance."""

    async def opened(self) -> None:
        """Nothing: models are loaded already, and a session is only made for audio."""

    async def on_event(self, event: Event) -> bool:
        if AudioChunk.is_type(event.type):
            form = wire.audio_format(event.data)
            if self._intake is None:
                await self._restart()
                assert self._intake is not None
            await self._hear(self._intake.push(form, event.payload or b""))
        elif wire.is_transcribe(event.type):
            self._request = AsrRequest(
                model=wire.name(event.data, "name"),
                language=wire.name(event.data, "language") or self._service.language,
            )
        elif AudioStart.is_type(event.type):
            await self._restart(wire.audio_format(event.data))
        elif AudioStop.is_type(event.type):
            return await self._on_stop()
        elif SelectProgram.is_type(event.type):
            self._engine = select(self._service.programs, wire.name(event.data, "name"))
        return True

    async def close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await self._service.worker.run(session.close)

    async def _restart(self, announced: AudioFormat | None = None) -> None:
        await self.close()
        self._seconds = 0.0
        service = self._service
        self._intake = Intake(service.profile, service.quality, self._engine.format, announced)

    async def _on_stop(self) -> bool:
        if self._intake is None:
            return True  # an audio-stop without a stream says nothing
        tail = self._intake.flush()
        await self._hear([tail] if tail else [])
        result = await self._finish()
        log.info("asr: %s heard %.1f s: %r", result.provider, self._seconds, result.text)
        await self._peer.send(Transcript(text=result.text, language=result.language))
        return False

    async def _hear(self, pieces: Iterable[bytes]) -> None:
        """Give converted audio to the session.

        :raises LimitExceeded: the utterance is longer than we are willing to keep.
        """
        for pcm in pieces:
            self._seconds += self._engine.format.seconds(len(pcm))
            if self._seconds > self._service.max_utterance_s:
                raise LimitExceeded(f"the utterance is longer than {self._service.max_utterance_s:g} s")
            if self._session is None:
                self._session = await self._service.worker.obtain(self._engine.session, self._request)
            await self._service.worker.run(self._session.push, pcm)

    async def _finish(self) -> Transcription:
        if self._session is None:
            return Transcription("", self._request.language or self._service.language, self._engine.name)
        return await self._service.worker.run(self._session.finish)
