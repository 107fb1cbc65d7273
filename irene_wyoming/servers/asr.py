"""AsrRole: one client's conversation with the speech-to-text server."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram
from wyoming.vad import VoiceStarted, VoiceStopped

from irene_wyoming import metrics
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.config.server import AudioProfile
from irene_wyoming.engines.asr.voice import Voice, Voices, What
from irene_wyoming.engines.base import AsrRequest, Transcription
from irene_wyoming.errors import EngineUnavailable, LimitExceeded
from irene_wyoming.language.vocabulary import Vocabulary
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.routing.silence import Sound, sound_of
from irene_wyoming.routing.utterance import Utterance
from irene_wyoming.servers.info import select
from irene_wyoming.servers.intake import Intake
from irene_wyoming.servers.request import asr_request
from irene_wyoming.servers.role import Peer, Role
from irene_wyoming.servers.transcript import TranscriptWriter
from irene_wyoming.tasks import ended
from irene_wyoming.wire import fields
from irene_wyoming.wire.audio import audio_format

GATHERED_S = 0.06
"""Least seconds of audio given to an engine at a time, except at the end. A hop to its thread costs as much as reading
ten chunks.
"""

PAUSE_S = 10.0
"""Most seconds without an event within an utterance: nobody pauses so long, and silence is sent as audio."""


def no_names() -> None:
    """No names of a home are known: the default."""


@dataclass(frozen=True, slots=True)
class AsrService:
    """What all conversations with one speech-to-text server share."""

    programs: Mapping[str, AsrRouter]
    """Routers by program name; the first is used where a client selects none."""
    unavailable: Mapping[str, str]
    """Programs that could not be loaded, with the reason."""
    language: str
    profile: AudioProfile
    quality: str | AdaptivePolicy
    voices: Voices | None
    """Finds speech in the audio; None: nothing looks for it."""
    max_utterance_s: float
    answer_timeout_s: float
    """Seconds from the end of an utterance to its transcript."""
    names: Callable[[], Vocabulary | None] = no_names
    """Gives the present names of the home; None: only configured names are known."""


class AsrRole(Role):
    """Transcribes one utterance, then ends the conversation."""

    takes_runs = True

    def __init__(self, service: AsrService, peer: Peer, host: str = "") -> None:
        """:param host: the address that the client connects from; empty for a unix socket."""
        self._service = service
        self._peer = peer
        self._host = host
        self._name, self._program = next(iter(service.programs.items()))
        self._request = AsrRequest(language=service.language)
        self._asked = False  # whether the client has asked for a transcript
        self._intake: Intake | None = None  # None until the first audio
        self._utterance: Utterance | None = None  # None until the first audio
        # the task that sends the transcript; exists as long as the utterance
        self._answer: asyncio.Task[None] | None = None
        self._due: float | None = None  # the loop time by which the answer must be there
        self._over_at: float | None = None  # the loop time since which a person waits for it
        self._patience: asyncio.Timeout | None = None  # ends the answer when it is overdue; None until it has begun
        self._seconds = 0.0  # seconds of audio in the utterance
        self._begun_at: float | None = None  # the loop time of its first audio
        self._waiting = bytearray()  # converted audio that waits to be given to it together with more
        self._silent = asyncio.Event()  # set when the client sends no more audio
        self._voice: Voice | None = None  # None: nothing looks for speech

    @property
    def idle_ok(self) -> bool:
        """Whether the client may be silent: after the end of the command it waits for us."""
        return self._silent.is_set() or self._due is not None

    @property
    def patience_s(self) -> float:
        return math.inf if self._intake is None else PAUSE_S

    @property
    def owes_answer(self) -> bool:
        """Whether a transcript is owed: from the client's request or its first audio on."""
        return self._asked or self._intake is not None

    async def on_end(self) -> None:
        """End of the client's side: without an audio-stop there is no utterance; with one, the client still reads."""
        self._silent.set()
        if self._due is not None and self._answer is not None:
            await asyncio.wait([self._answer])

    async def on_event(self, event: Event) -> bool:
        self._require_pace()
        if AudioChunk.is_type(event.type):
            form = audio_format(event.data)
            if self._intake is None:
                await self._restart()
                assert self._intake is not None
            if self._due is None:  # audio after the end of the command is read and ignored
                await self._hear(self._intake.push(form, event.payload or b""))
        elif fields.is_transcribe(event.type):
            self._request = asr_request(event.data, self._service.language)
            self._asked = True
        elif AudioStart.is_type(event.type):
            await self._restart(audio_format(event.data))
        elif AudioStop.is_type(event.type):
            return await self._on_stop()
        elif SelectProgram.is_type(event.type):
            self._select(fields.name(event.data, "name"))
        return True

    def _require_pace(self) -> None:
        """:raises LimitExceeded: the utterance takes longer than anybody speaks, in however small pieces it comes."""
        if self._begun_at is None or self._due is not None:
            return
        most_s = self._service.max_utterance_s + PAUSE_S
        if asyncio.get_running_loop().time() - self._begun_at > most_s:
            raise LimitExceeded(f"the utterance has not come within {most_s:g} s")

    async def close(self) -> None:
        answer, self._answer = self._answer, None
        await ended(answer)

    def _select(self, name: str | None) -> None:
        """Choose a program; raises UnknownModel or EngineUnavailable where it is missing or could not be loaded."""
        reason = self._service.unavailable.get(name or "")
        if reason is not None:
            raise EngineUnavailable(f"program {name!r} is not available: {reason}")
        self._program = select(self._service.programs, name)
        self._name = name or next(iter(self._service.programs))

    async def _restart(self, announced: AudioFormat | None = None) -> None:
        await self.close()
        self._seconds = 0.0
        self._waiting.clear()
        self._silent.clear()
        self._utterance = self._voice = self._due = self._over_at = self._patience = None
        service = self._service
        self._begun_at = self._begun_at or asyncio.get_running_loop().time()
        self._intake = Intake(service.profile, service.quality, self._program.format, announced, server="asr")

    async def _on_stop(self) -> bool:
        if self._silent.is_set() or not (self._asked or self._intake):
            return True  # an audio-stop without audio means nothing
        if self._due is None and self._intake is not None:
            self._over_at = asyncio.get_running_loop().time()
            tail = self._intake.flush()
            await self._hear([tail] if tail else [])
            if self._waiting and self._utterance is not None:
                await self._give(self._utterance)
        self._silent.set()
        if self._utterance is None:
            await self._writer().final(Transcription("", self._language, ""))
            return False
        self._end(self._utterance)
        return True

    def _end(self, utterance: Utterance) -> None:
        """End the command, on the client's word or on our own."""
        utterance.end()
        if self._due is None:
            now = asyncio.get_running_loop().time()
            self._over_at = self._over_at or now
            self._due = now + self._service.answer_timeout_s
            if self._patience is not None:
                self._patience.reschedule(self._due)

    async def _hear(self, pieces: Iterable[bytes]) -> None:
        """Give converted audio to the utterance.

        :raises LimitExceeded: the utterance is longer than the configuration allows.
        """
        for pcm in pieces:
            self._seconds += self._program.format.seconds(len(pcm))
            if self._seconds > self._service.max_utterance_s:
                raise LimitExceeded(f"the utterance is longer than {self._service.max_utterance_s:g} s")
            if self._utterance is None:
                self._utterance = await self._begin()
            self._waiting += pcm
            if self._program.format.seconds(len(self._waiting)) >= GATHERED_S and await self._give(self._utterance):
                return

    async def _give(self, utterance: Utterance) -> bool:
        """Give waiting audio to the utterance; True: the command is over."""
        pcm = bytes(self._waiting)
        self._waiting.clear()
        if self._voice is not None:
            return await self._listen(utterance, self._voice, pcm)
        utterance.push(pcm)
        return False

    async def _begin(self) -> Utterance:
        utterance = self._program.utterance(replace(self._request, vocabulary=self._service.names()))
        self._answer = self._peer.spawn(self._transcribe(utterance, self._writer()), "transcribe")
        if self._service.voices is not None:
            self._voice = await self._service.voices.follow(self._request.vad_sensitivity)
        return utterance

    async def _listen(self, utterance: Utterance, voice: Voice, pcm: bytes) -> bool:
        """Give audio to the utterance with its kind of sound; True: the command is over."""
        voices = self._service.voices
        assert voices is not None
        spoke = voice.speaks
        events = await voices.push(voice, pcm)
        began = any(event.what is What.STARTED for event in events)
        sound = sound_of(spoke=spoke, began=began, speaks=voice.speaks) if voices.trim else Sound.UNKNOWN
        utterance.push(pcm, sound)
        if not voices.endpointing:
            return False
        for event in events:
            if event.what is What.STARTED:
                await self._peer.send(VoiceStarted(timestamp=event.ms))
            elif event.what is What.PAUSED:
                await self._peer.send(VoiceStopped(timestamp=event.ms))
            else:
                self._end(utterance)
        return self._due is not None

    async def _transcribe(self, utterance: Utterance, writer: TranscriptWriter) -> None:
        """Wait for the transcription and send it to the client.

        :raises LimitExceeded: there is no transcript within ``answer_timeout_s`` after the end of the audio.
        """
        try:
            async with asyncio.timeout_at(self._due) as self._patience:
                result = await utterance.heard(writer.partial)
                await writer.final(result)
                self._tell_wait(result.provider)
        except TimeoutError:
            raise LimitExceeded(f"no transcript within {self._service.answer_timeout_s:g} s; try again") from None
        await self._client_is_silent()

    def _tell_wait(self, provider: str) -> None:
        """Record how long a person waited: from the end of the audio until the transcript is sent."""
        if (waited_s := self._waited_s()) is not None:
            metrics.TRANSCRIPT_SECONDS.labels(provider).observe(waited_s)

    def _waited_s(self) -> float | None:
        """Seconds that a person has been waiting for the transcript; None: they still speak."""
        return None if self._over_at is None else asyncio.get_running_loop().time() - self._over_at

    async def _client_is_silent(self) -> None:
        """Wait for the end of the client's audio. Some clients read only then, and closing earlier would cost them the
        transcript.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._service.max_utterance_s):
                await self._silent.wait()

    def _writer(self) -> TranscriptWriter:
        return TranscriptWriter(self._peer, self._language, self._waited_s, self._host or "unix socket")

    @property
    def _language(self) -> str:
        return self._request.language or self._service.language
