"""A client of speech-to-text servers that speak Wyoming, with limits on what it takes from them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.elsewhere import Utterance, transcript
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed, FrameTooLarge, ProtocolError, ServerUnavailable
from irene_wyoming.language.likely import likely_names
from irene_wyoming.wire import transcription
from irene_wyoming.wire.address import Address, reason
from irene_wyoming.wire.audio import chunk_event, start_event, stop_event
from irene_wyoming.wire.client import complaint, connect, describe
from irene_wyoming.wire.connection import Connection, Event
from irene_wyoming.wire.fields import MAX_NAME_CHARS, cleaned

CONVERSATION_BYTES = 4 << 20
"""Most bytes from a server in one conversation: an Info with hundreds of models has 0.3 MB, a transcript 1 kB."""

INFO_S = 5.0
"""Seconds for a server to describe itself: a busy one may be decoding."""

MAX_MODELS = 256
"""Most models of one server: the largest known lists some 60."""

MOST_NAMES = 200
"""Most names of the home sent with each utterance: some kilobytes. Engines take about a hundred hints at most."""

MAX_LANGUAGES = 256
"""Most languages of one model; Whisper has 99."""


class WyomingServer:
    """The client of the server at one address."""

    def __init__(self, name: str, address: Address, *, model: str | None, connect_timeout_s: float) -> None:
        """:param model: model where a request names none; None: the server's own default."""
        self._name = name
        self._address = address
        self._where = f"{name}: {address.uri}"
        self._model = model
        self._connect_timeout_s = connect_timeout_s

    async def models(self) -> Sequence[ModelInfo]:
        """The models of the server's first speech-to-text program, which it uses without a selection.

        :raises EngineFailed: it does not describe itself in time, or not validly.
        """
        try:
            info = await describe(self._address, self._connect_timeout_s + INFO_S, CONVERSATION_BYTES)
        except ServerUnavailable as error:
            raise EngineFailed(f"{self._name}: {error}") from error
        return self._offered(info.asr)

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        """Send the utterance while it is spoken.

        :raises EngineFailed: there is no connection, or no valid transcript.
        """
        try:
            async with connect(self._address, self._connect_timeout_s, CONVERSATION_BYTES) as connection:
                sending = asyncio.ensure_future(self._send(connection, request, language, utterance))
                try:
                    return await self._answer(connection, language, utterance)
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)  # what breaks it breaks the reading, too
        except ServerUnavailable as error:
            raise EngineFailed(f"{self._name}: {error}") from error
        except OSError as error:
            raise EngineFailed(f"{self._where}: {reason(error)}") from error

    async def close(self) -> None:
        """Do nothing: each conversation closes its own connection."""

    async def _send(self, connection: Connection, request: AsrRequest, language: str, utterance: Utterance) -> None:
        asked = transcription.request(
            language=language,
            name=request.model or self._model,
            context=request.context,
            vad_sensitivity=None if request.vad_sensitivity == "default" else request.vad_sensitivity,
            names=request.names,
            terms=terms(request, language),
        )
        await connection.write(asked)
        await connection.write(start_event(SPEECH))
        async for pcm in utterance:
            await connection.write(chunk_event(SPEECH, pcm))
        await connection.write(stop_event())

    async def _answer(self, connection: Connection, language: str, utterance: Utterance) -> Transcription:
        def partial(text: str) -> None:
            utterance.partial = text

        async def next_event() -> Event:
            return await self._read(connection)

        found = await transcription.transcript(next_event, partial)
        text = transcript(found.get("text"), self._where)
        return Transcription(text, name_of(found.get("language")) or language, self._name)

    async def _read(self, connection: Connection) -> Event:
        """Read the next event.

        :raises EngineFailed: there is none, or it is an error.
        """
        try:
            event = await connection.read()
        except FrameTooLarge as error:
            raise EngineFailed(f"{self._where} sent too much: {error}") from error
        except ProtocolError as error:
            raise EngineFailed(f"{self._where} sent something that is no Wyoming event: {error}") from error
        if event is None:
            raise EngineFailed(f"{self._where} ended the connection without a transcript")
        if (said := complaint(event)) is not None:
            raise EngineFailed(f"{self._where} says: {said}")
        return event

    def _offered(self, programs: Any) -> Sequence[ModelInfo]:
        """The models of an Info; raises EngineFailed where it has no speech-to-text program."""
        try:
            models = [model_info(model) for model in programs[0].models[:MAX_MODELS]] if programs else []
        except (AttributeError, KeyError, TypeError, ValueError):
            raise EngineFailed(f"{self._where} sent an invalid Info") from None
        known = {model.name: model for model in models if model is not None}
        if not known:
            raise EngineFailed(f"{self._where} offers no speech-to-text")
        return list(known.values())


def terms(request: AsrRequest, language: str) -> tuple[str, ...]:
    """Words to lean towards besides names: the request's terms, and likely names of the home."""
    told = () if request.vocabulary is None else likely_names(request.vocabulary, language)
    return tuple(dict.fromkeys((*request.terms, *told[:MOST_NAMES])))


def model_info(model: Any) -> ModelInfo | None:
    """Turn another server's model into a ModelInfo; None: its name is invalid. Its fields may have any type."""
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
    """A name from another side; None: it is none."""
    return value if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_NAME_CHARS else None
