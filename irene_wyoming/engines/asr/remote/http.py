"""A speech-to-text server that speaks OpenAI's HTTP API (``/audio/transcriptions``), as its client.

httpx, because it does TLS, proxies, multipart and pooled connections, and can be cut short at any point of a request.
"""

import io
import json
import logging
import wave
from collections.abc import Sequence
from ssl import SSLContext
from typing import Any

import httpx

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.elsewhere import Utterance, primary, transcript
from irene_wyoming.engines.asr.remote.api import DEFAULT_MODEL, SHORTEST_S, Complaints, headers, model_there, prompt
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed
from irene_wyoming.language.vocabulary import TypedNames

logging.getLogger("httpx").setLevel(logging.WARNING)  # it has a line for every request

ANSWER_BYTES = 1 << 20
"""Of one answer: a transcript with everything that some servers add has some 10 kB."""


class HttpServer:
    """The server whose API is at ``base``, e.g. ``https://host:8000/v1``."""

    def __init__(
        self,
        name: str,
        base: str,
        *,
        model: str | None,
        vocabulary: TypedNames,
        key: str | None,
        connect_timeout_s: float,
        verify: SSLContext | bool,
    ) -> None:
        """:param model: used where a request names none; None: DEFAULT_MODEL.

        :param vocabulary: what the server should lean towards besides what a request names.
        """
        self._name = name
        self._told = Complaints(f"{name}: {base}", key)
        self._base = base
        self._model = model or DEFAULT_MODEL
        self._vocabulary = vocabulary
        self._connect_timeout_s = connect_timeout_s
        self._client = httpx.AsyncClient(
            # The answer's own deadline is the session's, over all of it: httpx's would start anew with every byte.
            timeout=httpx.Timeout(None, connect=connect_timeout_s),
            headers={"Accept-Encoding": "identity"} | headers(key),  # a small answer could unpack to a huge one
            verify=verify,
        )

    async def models(self) -> Sequence[ModelInfo]:
        """The configured model, if the server answers: its own list would name every other kind of model, too.

        :raises EngineFailed: it cannot be reached, or refuses the key.
        """
        return [model_there(self._model, self._base, await self._reach())]

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        """Connect while the person speaks, send all of it at the end.

        :raises EngineFailed: no connection, no transcript, or something that is none.
        """
        await self._reach()
        pcm = b"".join([piece async for piece in utterance])
        if SPEECH.seconds(len(pcm)) < SHORTEST_S:
            return Transcription("", language, self._name)
        fields = {"model": request.model or self._model, "response_format": "json", "language": primary(language)}
        if words := prompt(request, self._vocabulary):
            fields["prompt"] = words
        answer = await self._ask(
            "POST", "/audio/transcriptions", data=fields, files={"file": ("utterance.wav", wav(pcm), "audio/wav")}
        )
        try:
            found = json.loads(answer)
        except (ValueError, RecursionError):
            raise EngineFailed(f"{self._told.where} answered with something that is no JSON") from None
        if not isinstance(found, dict):
            raise EngineFailed(f"{self._told.where} answered with something that is no transcript")
        return Transcription(transcript(found.get("text"), self._told.where), language, self._name)

    async def close(self) -> None:
        await self._client.aclose()

    async def _reach(self) -> bytes:
        """Have a connection, which the next request will use.

        :return: its list of models; nothing: it is busy.
        :raises EngineFailed: the server cannot be reached, or refuses the key.
        """
        brief = httpx.Timeout(self._connect_timeout_s)
        try:
            async with self._client.stream("GET", f"{self._base}/models", timeout=brief) as response:
                if response.status_code in (401, 403):
                    raise self._told.refused(response.status_code)
                return await self._body(response)
        except httpx.ReadTimeout:
            return b""  # it is there, and busy
        except (httpx.HTTPError, UnicodeError) as error:
            raise self._failed(error) from error

    async def _ask(self, method: str, path: str, **content: Any) -> bytes:
        """The body of a good answer."""
        try:
            async with self._client.stream(method, self._base + path, **content) as response:
                body = await self._body(response)
        except (httpx.HTTPError, UnicodeError) as error:
            raise self._failed(error) from error
        if response.status_code != httpx.codes.OK:
            raise self._told.refused(response.status_code, body)
        return body

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > ANSWER_BYTES:
                raise EngineFailed(f"{self._told.where} answered with more than {ANSWER_BYTES} bytes")
        return bytes(body)

    def _failed(self, error: Exception) -> EngineFailed:
        if isinstance(error, httpx.ConnectTimeout):
            return self._told.failed(f"no connection within {self._connect_timeout_s:g} s")
        hint = "; verify_tls: false takes it as it is" if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
        return self._told.failed(f"{str(error) or type(error).__name__}{hint}")


def wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setframerate(SPEECH.rate)
        writer.setsampwidth(SPEECH.width)
        writer.setnchannels(SPEECH.channels)
        writer.writeframes(pcm)
    return file.getvalue()
