"""A speech-to-text server that speaks Wyoming, as its client: what it is asked, and what is taken from it.

The events and their framing are the wyoming package's. Its parser has no limits, so it reads from ``Bounded``.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.info import AsrModel, Describe, Info

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.elsewhere import MAX_TEXT_CHARS, Utterance, cleaned, transcript
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed

SHOWS_TOKEN = "authenticate"
"""Type of the event by which servers of our own (servers/access.py) are shown a token; others ignore it."""

HEADER_BYTES = 1 << 20
"""Of an event's header line: servers on older versions of the package put all their models into it."""

CONVERSATION_BYTES = 4 << 20
"""Of all that a server may send in one conversation: an Info with hundreds of models has 0.3 MB, a transcript 1 kB."""

INFO_S = 5.0
"""Seconds for a server to describe itself: a busy one may be in the midst of a decode."""

MAX_MODELS = 256
"""Of one server: the largest known lists some 60."""

MAX_NAME_CHARS = 128
"""Names of models and languages, as our own server takes them."""

MAX_LANGUAGES = 256
"""Of one model; Whisper has 99."""

_AUDIO = {"rate": SPEECH.rate, "width": SPEECH.width, "channels": SPEECH.channels}


class Bounded:
    """The two methods of StreamReader that the package's parser calls, with a bound on all that is read."""

    def __init__(self, reader: asyncio.StreamReader, where: str, budget: int = CONVERSATION_BYTES) -> None:
        self.ended = False
        """The server has closed the connection, between two events."""
        self._reader = reader
        self._where = where
        self._budget = budget

    async def readline(self) -> bytes:
        """A line; empty at the end of the connection.

        :raises EngineFailed: it is cut or too long.
        """
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise self._cut() from None
            self.ended = True
            return b""
        except asyncio.LimitOverrunError:
            raise EngineFailed(f"{self._where} sent a line of more than {HEADER_BYTES} bytes") from None
        self._spend(len(line))
        return line

    async def readexactly(self, count: int) -> bytes:
        """:raises EngineFailed: the connection ends before, or so much is not taken."""
        self._spend(count)
        try:
            return await self._reader.readexactly(count)
        except asyncio.IncompleteReadError:
            raise self._cut() from None

    def _spend(self, count: int) -> None:
        if count > self._budget:
            raise EngineFailed(f"{self._where} sent more than {CONVERSATION_BYTES} bytes")
        self._budget -= count

    def _cut(self) -> EngineFailed:
        return EngineFailed(f"{self._where} ended the connection in the midst of an event")


class WyomingServer:
    """The server at ``tcp://host:port``."""

    def __init__(
        self, name: str, host: str, port: int, *, model: str | None, token: str | None, connect_timeout_s: float
    ) -> None:
        """:param model: asked for where a request names none; None: the server's own default.
        :param token: shown to a server of our own, which may want it.
        """
        self._name = name
        self._host = host
        self._port = port
        self._where = f"{name}: tcp://{host}:{port}"
        self._model = model
        self._token = token
        self._connect_timeout_s = connect_timeout_s

    async def models(self) -> Sequence[ModelInfo]:
        """What the server's first speech-to-text program offers; others are not asked unless selected.

        :raises EngineFailed: it does not say in time, or nothing that makes sense.
        """
        try:
            async with asyncio.timeout(self._connect_timeout_s + INFO_S), self._connected() as (reader, writer):
                await async_write_event(Describe().event(), writer)
                while True:
                    event = await self._read(reader)
                    if Info.is_type(event.type):
                        return self._offered(event)
        except TimeoutError:
            raise EngineFailed(f"{self._where} does not describe itself within {INFO_S:g} s") from None
        except OSError as error:
            raise EngineFailed(f"{self._where}: {reason(error)}") from error

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        """Send the utterance while it is spoken.

        :raises EngineFailed: no connection, no transcript, or something that is none.
        """
        try:
            async with self._connected() as (reader, writer):
                sending = asyncio.ensure_future(self._send(writer, request, language, utterance))
                try:
                    return await self._answer(reader, language, utterance)
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)  # what breaks it breaks the reading, too
        except OSError as error:
            raise EngineFailed(f"{self._where}: {reason(error)}") from error

    async def close(self) -> None:
        """Nothing to give back: each conversation closes its own connection."""

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[Bounded, asyncio.StreamWriter]]:
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                reader, writer = await asyncio.open_connection(self._host, self._port, limit=HEADER_BYTES)
        except TimeoutError:
            raise EngineFailed(f"{self._where}: no connection within {self._connect_timeout_s:g} s") from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
            raise EngineFailed(f"{self._where}: no connection: {reason(error)}") from error
        try:
            if self._token is not None:
                await async_write_event(Event(SHOWS_TOKEN, {"token": self._token}), writer)
            yield Bounded(reader, self._where), writer
        finally:
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()  # a server that does not read would keep the socket open
            else:
                writer.close()

    async def _send(
        self, writer: asyncio.StreamWriter, request: AsrRequest, language: str, utterance: Utterance
    ) -> None:
        asked = Transcribe(
            name=request.model or self._model,
            language=language,
            context=None if request.context is None else dict(request.context),
            vad_sensitivity=None if request.vad_sensitivity == "default" else request.vad_sensitivity,
            transcript_names=list(request.names) or None,
            transcript_terms=list(request.terms) or None,
        ).event()
        asked.data["stream"] = True  # our own server's word for partial transcripts; others ignore it
        await async_write_event(asked, writer)
        await async_write_event(AudioStart(**_AUDIO).event(), writer)
        async for pcm in utterance:
            await async_write_event(AudioChunk(**_AUDIO, audio=pcm).event(), writer)
        await async_write_event(AudioStop().event(), writer)

    async def _answer(self, reader: Bounded, language: str, utterance: Utterance) -> Transcription:
        said = ""
        while True:
            event = await self._read(reader)
            if Transcript.is_type(event.type):
                text = transcript(event.data.get("text"), self._where)
                spoken = event.data.get("language")
                return Transcription(text, name_of(spoken) or language, self._name)
            if TranscriptStart.is_type(event.type):
                said = ""
            elif TranscriptChunk.is_type(event.type):
                said = (said + transcript_part(event.data.get("text")))[:MAX_TEXT_CHARS]
                utterance.partial = said.strip()

    async def _read(self, reader: Bounded) -> Event:
        """The next event.

        :raises EngineFailed: there is none, or it says that something went wrong.
        """
        try:
            event = await async_read_event(reader)  # type: ignore[arg-type]  # it has what is called
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            event = None  # the package's parser trusts the types of all fields
        if event is None and reader.ended:
            raise EngineFailed(f"{self._where} ended the connection without a transcript")
        if event is None or not isinstance(event.type, str) or not isinstance(event.data, dict):
            raise EngineFailed(f"{self._where} sent something that is no Wyoming event")
        if Error.is_type(event.type):
            code = event.data.get("code")
            raise EngineFailed(
                f"{self._where} says: {cleaned(event.data.get('text'))}" + (f" ({cleaned(code)})" if code else "")
            )
        return event

    def _offered(self, event: Event) -> Sequence[ModelInfo]:
        """:raises EngineFailed: no speech-to-text program in it."""
        try:
            programs = Info.from_event(event).asr
            models = [model_info(model) for model in programs[0].models[:MAX_MODELS]] if programs else []
        except (AttributeError, KeyError, TypeError, ValueError):
            raise EngineFailed(f"{self._where} sent an Info that is none") from None
        known = {model.name: model for model in models if model is not None}
        if not known:
            raise EngineFailed(f"{self._where} offers no speech-to-text")
        return list(known.values())


def reason(error: Exception) -> str:
    """What went wrong, in the system's words where it has some; asyncio's repeat the address."""
    if isinstance(error, OSError) and error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return cleaned(error)


def model_info(model: AsrModel) -> ModelInfo | None:
    """A model of theirs as one of ours; None where its name is none."""
    name = name_of(model.name)
    if name is None:
        return None
    languages = (name_of(tag) for tag in model.languages[:MAX_LANGUAGES])
    return ModelInfo(
        name=name,
        languages=tuple(dict.fromkeys(tag for tag in languages if tag)),
        description=cleaned(model.description or name),
        author=cleaned(model.attribution.name),
        url=cleaned(model.attribution.url),
        version=None if model.version is None else cleaned(model.version),
        installed=model.installed is True,
    )


def name_of(value: Any) -> str | None:
    """A name that another side sent, if it is one."""
    return value if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_NAME_CHARS else None


def transcript_part(value: Any) -> str:
    return value if isinstance(value, str) else ""
