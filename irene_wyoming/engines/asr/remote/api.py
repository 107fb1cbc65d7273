"""Common parts of OpenAI's HTTP API and its WebSocket: names of models, prompts, keys and errors."""

import json
from collections.abc import Mapping
from dataclasses import replace

from irene_wyoming.checks import guarded, hidden_parts
from irene_wyoming.engines.asr.elsewhere import model_elsewhere
from irene_wyoming.engines.base import AsrRequest, ModelInfo
from irene_wyoming.errors import EngineFailed
from irene_wyoming.language.likely import likely_names
from irene_wyoming.language.vocabulary import TypedNames
from irene_wyoming.wire.fields import cleaned

DEFAULT_MODEL = "whisper-1"
"""The name that servers accept for their only model."""

SHORTEST_S = 0.1
"""Least seconds of audio that these servers take."""

MAX_MODELS, MAX_LANGUAGES, MAX_TAG = 4_096, 256, 36
"""Bounds of a list: models, languages of each, characters of a language. Speaches has hundreds of models; Whisper
has 99 languages; the longest registered tag has 35 characters.
"""

PROMPT_CHARS = 800
"""Characters of a prompt: Whisper reads the last 224 tokens of it, about four characters each in English."""


class Complaints:
    """Makes messages about one server's failures, never with its key, nor with a secret of its address.

    :param name: the provider's name.
    :param base: the server's address.
    """

    def __init__(self, name: str, base: str, key: str | None) -> None:
        self.where = f"{name}: {guarded(base)}"
        self._secrets = ([key] if key else []) + list(hidden_parts(base))

    def failed(self, what: object) -> EngineFailed:
        """The error for an invalid answer of the server."""
        return EngineFailed(f"{self.where}: {self.cleaned(str(what))}")

    def refused(self, status: int, body: bytes = b"") -> EngineFailed:
        """The error for an HTTP status that is no success."""
        if status in (401, 403):
            return EngineFailed(f"{self.where} refuses the API key, or wants one (HTTP {status})")
        return EngineFailed(f"{self.where} answered HTTP {status}: {self.cleaned(reason(body))}")

    def cleaned(self, text: str) -> str:
        """A server's text on one line and without secrets, since servers like to quote requests."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return cleaned(text)


def headers(key: str | None) -> dict[str, str]:
    """The headers with the key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def reason(body: bytes) -> str:
    """The reason in a server's answer: the message in its JSON, or else its text."""
    text = body.decode(errors="replace")
    try:
        return message(json.loads(text))
    except (ValueError, RecursionError):
        return text


def message(found: object) -> str:
    """The message of an error: ``{"error": {"message": ...}}``, or other servers' forms."""
    for key in ("error", "message", "detail"):
        if isinstance(found, Mapping) and key in found:
            found = found[key]
    return str(found)


def model_there(name: str, where: str, listed: bytes) -> ModelInfo:
    """Describe a model at an address, with its languages where the server lists them.

    :param listed: the answer to ``GET /models``. Speaches has ``language`` for each model there, Ray's farm
        ``languages``; OpenAI and vLLM have neither. A server that lists one model takes any name for it.
    """
    return replace(model_elsewhere(name, where), languages=languages(name, listed))


def languages(name: str, listed: bytes) -> tuple[str, ...]:
    """The languages of a model in the server's list; empty: it has none."""
    try:
        rows = json.loads(listed)["data"]
        known = {row["id"]: row.get("languages") or row.get("language") for row in rows[:MAX_MODELS]}
        told = known.get(name) or (next(iter(known.values())) if len(known) == 1 else None)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return ()
    told = [told] if isinstance(told, str) else told
    if not isinstance(told, list):
        return ()
    fine = (tag for tag in told[:MAX_LANGUAGES] if isinstance(tag, str) and tag.isprintable() and len(tag) < MAX_TAG)
    return tuple(dict.fromkeys(tag for tag in fine if tag))


def prompt(request: AsrRequest, vocabulary: TypedNames) -> str:
    """The words to lean towards, the most important last, since a prompt's beginning is dropped first."""
    told = () if request.vocabulary is None else likely_names(request.vocabulary, request.language or "en")
    words = dict.fromkeys([*reversed(told), *request.terms, *vocabulary.devices, *vocabulary.areas, *request.names])
    text = ", ".join(words)
    return text if len(text) <= PROMPT_CHARS else text[-PROMPT_CHARS:].partition(", ")[2]
