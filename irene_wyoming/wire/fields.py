"""Checked fields of an event's data: a peer may send values of any type."""

from typing import Any

from wyoming.asr import Transcribe

from irene_wyoming.errors import ProtocolError

MAX_NAME_CHARS = 128
"""Most characters of a model, program or language name, since these go into logs and errors."""

MAX_NAMES = 1_000
"""Most wake words that a client may ask for at a time: all of three engines, with 240 of a user's own each."""

MAX_SAID_CHARS = 200
"""Most characters kept of another side's error message, since it goes into our logs and errors."""


def cleaned(said: object) -> str:
    """Make a peer's message fit for a log: one line, printable, short."""
    line = " ".join(str(said)[: 4 * MAX_SAID_CHARS].split())
    return "".join(c for c in line if c.isprintable())[:MAX_SAID_CHARS]


def is_transcribe(event_type: str) -> bool:
    """Whether an event asks for a transcript; older hubs misspell its type."""
    return Transcribe.is_type(event_type) or event_type == "transcibe"


def text(data: dict[str, Any], key: str) -> str | None:
    """An optional text that is sent back; a value of another type counts as none."""
    value = data.get(key)
    return value if isinstance(value, str) else None


def name(data: dict[str, Any], key: str) -> str | None:
    """Read an optional name; null, absent and empty give None.

    :raises ProtocolError: not a string, or too long.
    """
    value = data.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        raise ProtocolError(f"{key}: expected a string of at most {MAX_NAME_CHARS} characters")
    return value


def names(data: dict[str, Any], key: str) -> list[str]:
    """Read an optional list of names, without repetitions; null, absent and empty give an empty list.

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
