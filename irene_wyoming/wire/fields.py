"""Fields of an event's data, checked: what a peer sends may have any type."""

from typing import Any

from wyoming.asr import Transcribe

from irene_wyoming.errors import ProtocolError

MAX_NAME_CHARS = 128
"""Model, program and language names; they go into logs and error texts."""

MAX_NAMES = 1_000
"""Wake words that one client may ask for at a time: all that three engines can have, 240 of a user's own each."""

MAX_SAID_CHARS = 200
"""Of what another side says went wrong: it goes into logs and errors of ours."""


def cleaned(said: object) -> str:
    """What another side says, fit for a log: one line, printable, short."""
    line = " ".join(str(said)[: 4 * MAX_SAID_CHARS].split())
    return "".join(c for c in line if c.isprintable())[:MAX_SAID_CHARS]


def is_transcribe(event_type: str) -> bool:
    """A request for a transcript; hubs of older years misspell it."""
    return Transcribe.is_type(event_type) or event_type == "transcibe"


def text(data: dict[str, Any], key: str) -> str | None:
    """An optional text that is sent back; anything else than text is taken for none."""
    value = data.get(key)
    return value if isinstance(value, str) else None


def name(data: dict[str, Any], key: str) -> str | None:
    """An optional name; null, absent and empty are the same.

    :raises ProtocolError: not a string, or too long.
    """
    value = data.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        raise ProtocolError(f"{key}: expected a string of at most {MAX_NAME_CHARS} characters")
    return value


def names(data: dict[str, Any], key: str) -> list[str]:
    """An optional list of names without repetitions; null, absent and empty are the same.

    :raises ProtocolError: not a list of strings, or too many, or one too long.
    """
    values = data.get(key)
    if values is None:
        return []
    if not isinstance(values, list) or len(values) > MAX_NAMES:
        raise ProtocolError(f"{key}: expected a list of at most {MAX_NAMES} names")
    if not all(isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARS for value in values):
        raise ProtocolError(f"{key}: expected strings of 1 to {MAX_NAME_CHARS} characters")
    return list(dict.fromkeys(values))
