"""Requests and answers of OpenAI's ``/audio/transcriptions``, translated for engines. Independent of Ray."""

import io
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irene_wyoming.audio.convert import converted
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription
from irene_wyoming.errors import EngineError, UnknownModel, UnsupportedFormat, UnsupportedRequest

LONGEST_S = 60.0
"""Most seconds of an utterance, as our servers take from a satellite."""

ANY_MODEL = "whisper-1"
"""The model's name that clients use for servers whose models they do not know."""

MOST_HINTS = 200
"""Most words taken from a prompt: more than any engine uses."""

Answer = tuple[int, Mapping[str, Any]]
"""An answer: HTTP status and JSON."""


class BadForm(Exception):
    """Raised for a bad request; the message is for its sender."""


@dataclass(frozen=True, slots=True)
class Job:
    """One utterance to transcribe."""

    request: AsrRequest
    pcm: bytes
    """PCM at 16 kHz, 16 bit, mono."""


def job(fields: Mapping[str, str], file: bytes) -> Job:
    """Read a form.

    :param fields: ``model``, ``language``, ``prompt``: each may be missing.
    :param file: a wav file.
    :raises BadForm: the file is no wav file, or the form asks for another answer than JSON.
    """
    if fields.get("response_format", "json") not in ("json", "verbose_json"):
        raise BadForm(f"response_format {fields['response_format']!r}: expected json")
    model = fields.get("model", "")
    hints = [word.strip() for word in fields.get("prompt", "").split(",")][:MOST_HINTS]
    request = AsrRequest(
        model=None if model == ANY_MODEL else model or None,
        language=fields.get("language") or None,
        names=tuple(word for word in hints if word and word.isprintable()),
    )
    return Job(request, speech(file))


def speech(file: bytes) -> bytes:
    """Convert a wav file to PCM at 16 kHz, 16 bit, mono.

    :raises BadForm: it is no wav file, or longer than LONGEST_S.
    """
    try:
        with wave.open(io.BytesIO(file)) as reader:
            form = AudioFormat(reader.getframerate(), reader.getsampwidth(), reader.getnchannels())
            if reader.getnframes() / form.rate > LONGEST_S:
                raise BadForm(f"file: expected at most {LONGEST_S:g} s of audio")
            pcm = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError, UnsupportedFormat, ValueError) as error:
        raise BadForm(f"file: expected a wav file with PCM: {error}") from error
    return converted(pcm, form, SPEECH)


def answer(result: Transcription | EngineError) -> Answer:
    """The answer for a transcription or an error."""
    if isinstance(result, Transcription):
        more = {} if result.confidence is None else {"confidence": result.confidence}
        return 200, {"text": result.text, "language": result.language, **more}
    if isinstance(result, UnknownModel):
        return refusal(404, str(result), "model_not_found")
    if isinstance(result, UnsupportedRequest):
        return refusal(400, str(result), result.code)
    return refusal(500, str(result), result.code, kind="server_error")


def refusal(status: int, message: str, code: str, kind: str = "invalid_request_error") -> Answer:
    """An error in the form of OpenAI's API."""
    return status, {"error": {"message": message, "type": kind, "code": code}}


def listed(models: Sequence[ModelInfo], owner: str) -> Mapping[str, Any]:
    """The answer to ``GET /v1/models``, with the languages of each model."""
    data = [
        {"id": model.name, "object": "model", "created": 0, "owned_by": owner, "languages": list(model.languages)}
        for model in models
    ]
    return {"object": "list", "data": data}
