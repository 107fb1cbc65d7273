"""A client of speech-to-text servers with OpenAI's HTTP API (``/audio/transcriptions``)."""

import json

import aiohttp

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.audio.wav import wav
from irene_wyoming.engines.asr.elsewhere import Utterance, transcript
from irene_wyoming.engines.asr.remote.api import SHORTEST_S, prompt
from irene_wyoming.engines.asr.remote.openai import OpenAiServer
from irene_wyoming.engines.base import AsrRequest, Transcription
from irene_wyoming.errors import EngineFailed
from irene_wyoming.tags import primary

OK = 200


class HttpServer(OpenAiServer):
    """A server that gets the whole utterance at its end."""

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        """Connect while the person speaks, and send the utterance at its end.

        :raises EngineFailed: there is no connection, or no valid transcript.
        """
        await self._reach()
        pcm = b"".join([piece async for piece in utterance])
        if SPEECH.seconds(len(pcm)) < SHORTEST_S:
            return Transcription("", language, self._name)
        fields = {"model": request.model or self._model, "response_format": "json", "language": primary(language)}
        if words := prompt(request, self._vocabulary):
            fields["prompt"] = words
        form = aiohttp.FormData(fields)
        form.add_field("file", wav(pcm, SPEECH), filename="utterance.wav", content_type="audio/wav")
        try:
            found = json.loads(await self._sent("/audio/transcriptions", form))
        except (ValueError, RecursionError):
            raise EngineFailed(f"{self._told.where} answered with something that is no JSON") from None
        if not isinstance(found, dict):
            raise EngineFailed(f"{self._told.where} answered with something that is no transcript")
        return Transcription(transcript(found.get("text"), self._told.where), language, self._name)

    async def _sent(self, path: str, form: aiohttp.FormData) -> bytes:
        """Post the form and return the body of a good answer."""
        try:
            async with self._http().post(self._base + path, data=form, allow_redirects=False) as response:
                body = await self._body(response)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._failed(error) from error
        if response.status != OK:
            raise self._told.refused(response.status, body)
        return body
