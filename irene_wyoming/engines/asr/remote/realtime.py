"""A client of OpenAI's realtime API by WebSocket, which sends audio while it is spoken.

The messages are those of https://developers.openai.com/api/docs/guides/realtime-transcription. Two servers differ:
Speaches (https://speaches.ai/usage/realtime-api) uses the session of the API's beta. vLLM (https://docs.vllm.ai,
entrypoints/openai/realtime) has a shorter exchange with audio at 16 kHz. The server's first message shows which it is.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.asr.elsewhere import Utterance, transcript
from irene_wyoming.engines.asr.remote.api import SHORTEST_S, Complaints, message, prompt
from irene_wyoming.engines.asr.remote.openai import OpenAiServer
from irene_wyoming.engines.base import AsrRequest, Transcription
from irene_wyoming.errors import EngineFailed
from irene_wyoming.tags import primary

PATH = "/realtime"

MESSAGE_BYTES = 1 << 20
"""Most bytes of one message from the server: a complete session has some 5 kB."""

CONVERSATION_BYTES = 4 << 20
"""Most bytes of all messages of one utterance: pieces of text in their envelopes take some 100 kB a minute."""

PIECE_BYTES = 48_000
"""Bytes of audio in one message, a second: the servers' own limits begin at 1 MB."""

CLOSE_S = 0.5
"""Seconds for the server to close its side. Nobody waits for it."""

WITHOUT_MODEL = ("openai.com", "azure.com")
"""Domains that refuse a model in the address of a transcription; Speaches requires one."""

WITHOUT_PROMPT = "gpt-realtime"
"""Start of the names of models that take no prompt."""

PARTS = ("conversation.item.input_audio_transcription.delta", "transcription.delta")
WHOLES = {"conversation.item.input_audio_transcription.completed": "transcript", "transcription.done": "text"}
FAILURES = ("error", "conversation.item.input_audio_transcription.failed")

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The messages that one kind of server wants."""

    form: AudioFormat
    """The format of the audio."""
    before: tuple[Message, ...]
    """Messages before the audio."""
    after: Message
    """The message that ends the audio."""


def dialect(created: Message, model: str, language: str, words: str) -> Dialect:
    """The dialect of a server, by its first message.

    :param created: the message ``session.created``.
    :param language: the spoken language, such as ``en``.
    :param words: words to lean towards; empty: none.
    """
    commit = {"type": "input_audio_buffer.commit"}
    session = created.get("session")
    if not isinstance(session, Mapping):  # vLLM: a commit begins the generation, a final one ends it
        update: Message = {"type": "session.update", "model": model}
        return Dialect(SPEECH, (update, commit), {**commit, "final": True})
    hearing = {"model": model, "language": language} | ({"prompt": words} if words else {})
    if "input_audio_format" in session:  # the flat session of the beta, used by Speaches
        told: Message = {"input_audio_transcription": hearing, "turn_detection": None}
    else:
        form = {"type": "audio/pcm", "rate": WIDE.rate}
        told = {
            "type": "transcription",
            "audio": {"input": {"format": form, "transcription": hearing, "turn_detection": None}},
        }
    return Dialect(WIDE, ({"type": "session.update", "session": told},), commit)


WIDE = AudioFormat(24_000, 2, 1)
"""The audio format of OpenAI's API."""


class RealtimeServer(OpenAiServer):
    """A server that gets the utterance while it is spoken."""

    def __init__(self, name: str, base: str, **settings: Any) -> None:
        """:param settings: those of OpenAiServer."""
        super().__init__(name, base, **settings)
        self._closing: set[asyncio.Task[bool]] = set()

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        """Send the utterance while it is spoken, and read the text that comes meanwhile.

        :raises EngineFailed: there is no connection, or no valid transcript.
        """
        model = request.model or self._model
        words = "" if model.startswith(WITHOUT_PROMPT) else prompt(request, self._vocabulary)
        try:
            socket = await self._connect(model)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._failed(error) from error
        talk = Talk(socket, self._told)
        try:
            created = await talk.read()
            spoken = dialect(created, model, primary(language), words)
            text = await talk.transcribe(spoken, utterance)
        except (aiohttp.ClientError, OSError) as error:
            raise self._failed(error) from error
        finally:
            closing = asyncio.ensure_future(socket.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return Transcription(transcript(text, self._told.where), language, self._name)

    async def _connect(self, model: str) -> aiohttp.ClientWebSocketResponse:
        host = urlsplit(self._base).hostname or ""
        query = {"intent": "transcription"}
        if not host.endswith(WITHOUT_MODEL):
            query["model"] = model
        return await self._http().ws_connect(
            self._base + PATH,
            params=query,
            max_msg_size=MESSAGE_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
        )


class Talk:
    """One utterance on one WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, told: Complaints) -> None:
        self._socket = socket
        self._told = told
        self._taken = 0  # bytes received
        self._texts: dict[str, str] = {}  # text by item, in order of their beginning
        self._open: set[str] = set()  # items whose text may still grow
        self._committed = False

    async def transcribe(self, spoken: Dialect, utterance: Utterance) -> str:
        """Exchange audio for its text.

        :raises EngineFailed: the server reports a failure, is silent, or sends something invalid.
        """
        sending = asyncio.ensure_future(self._send(spoken, utterance))
        hearing = asyncio.ensure_future(self._hear(utterance))
        try:
            await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not sending.exception() and not sending.result():
                return ""
            return await hearing  # what breaks the sending breaks the hearing, too, which knows the reason
        finally:
            sending.cancel()
            hearing.cancel()
            await asyncio.gather(sending, hearing, return_exceptions=True)

    async def _send(self, spoken: Dialect, utterance: Utterance) -> bool:
        """Send all audio; False: it is too short for these servers, and nothing is asked."""
        for each in spoken.before:
            await self._socket.send_json(each)
        converter = Converter(SPEECH, spoken.form)
        taken = 0
        async for pcm in utterance:
            taken += len(pcm)
            await self._append(converter.push(pcm))
        await self._append(converter.flush())
        if SPEECH.seconds(taken) < SHORTEST_S:
            return False
        self._committed = True
        await self._socket.send_json(spoken.after)
        return True

    async def _append(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), PIECE_BYTES):
            audio = b64encode(pcm[start : start + PIECE_BYTES]).decode()
            await self._socket.send_json({"type": "input_audio_buffer.append", "audio": audio})

    async def _hear(self, utterance: Utterance) -> str:
        """Wait for the text of all items, after the commit, until none of them grows."""
        while True:
            found = await self.read()
            kind, item = found.get("type"), str(found.get("item_id"))
            if kind == "input_audio_buffer.committed":
                self._open.add(item)
            elif kind in PARTS:
                self._texts[item] = self._texts.get(item, "") + self._text(found.get("delta"))
                utterance.partial = self._joined()
            elif kind in WHOLES:
                self._texts[item] = self._text(found.get(WHOLES[kind]))
                utterance.partial = self._joined()
                self._open.discard(item)
                if self._committed and not self._open:
                    return self._joined()

    def _joined(self) -> str:
        return " ".join(text.strip() for text in self._texts.values() if text.strip())

    def _text(self, value: object) -> str:
        """Check a text; raises EngineFailed where it is none, or longer than speech."""
        transcript(value, self._told.where)
        return str(value)

    async def read(self) -> Message:
        """Read the next message.

        :raises EngineFailed: there is none, or it is an error.
        """
        received = await self._socket.receive()
        if received.type is aiohttp.WSMsgType.ERROR:
            raise self._told.failed(received.data)
        if received.type is not aiohttp.WSMsgType.TEXT:
            why = f": {self._told.cleaned(str(received.extra))}" if received.extra else ""
            raise EngineFailed(f"{self._told.where} ended the connection without a transcript{why}")
        self._taken += len(received.data)
        if self._taken > CONVERSATION_BYTES:
            raise EngineFailed(f"{self._told.where} sent more than {CONVERSATION_BYTES} bytes")
        try:
            found = json.loads(received.data)
        except (ValueError, RecursionError):
            raise EngineFailed(f"{self._told.where} sent something that is no JSON") from None
        if not isinstance(found, dict):
            raise EngineFailed(f"{self._told.where} sent something that is no message")
        if found.get("type") in FAILURES:
            raise EngineFailed(f"{self._told.where} says: {self._told.cleaned(message(found))}")
        return found
