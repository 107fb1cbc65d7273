"""Reads and checks a client's request for a transcription."""

from typing import Any, get_args

from irene_wyoming.engines.base import AsrRequest, Sensitivity
from irene_wyoming.errors import ProtocolError, UnsupportedRequest
from irene_wyoming.wire import fields

MAX_HINTS = 1_000
"""Most names or terms passed on as hints. A large home has some hundred; further ones are left out."""

MAX_CONTEXT_KEYS = 100
"""Most keys of a context, which a server makes for itself."""


def asr_request(data: dict[str, Any], language: str) -> AsrRequest:
    """Read the data of a ``transcribe`` event.

    :param language: used where the client names none.
    :raises ProtocolError: a field has a wrong type.
    :raises UnsupportedRequest: a value is unknown here.
    """
    return AsrRequest(
        model=fields.name(data, "name"),
        language=fields.name(data, "language") or language,
        names=hints(data, "transcript_names"),
        terms=hints(data, "transcript_terms"),
        context=context(data),
        vad_sensitivity=sensitivity(data),
    )


def hints(data: dict[str, Any], key: str) -> tuple[str, ...]:
    """Read an optional list of words or phrases, without blank ones and repetitions."""
    values = data.get(key)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ProtocolError(f"{key}: expected a list of strings")
    cleaned = dict.fromkeys(" ".join(value.split()) for value in values if len(value) <= fields.MAX_NAME_CHARS)
    return tuple(value for value in cleaned if value)[:MAX_HINTS]


def context(data: dict[str, Any]) -> dict[str, Any] | None:
    value = data.get("context")
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > MAX_CONTEXT_KEYS:
        raise ProtocolError(f"context: expected an object of at most {MAX_CONTEXT_KEYS} keys")
    return value


def sensitivity(data: dict[str, Any]) -> Sensitivity:
    value = data.get("vad_sensitivity")
    if value is None or value == "":
        return "default"
    known: tuple[Sensitivity, ...] = get_args(Sensitivity)
    for one in known:
        if value == one:
            return one
    raise UnsupportedRequest(f"vad_sensitivity: expected one of {', '.join(known)}")
