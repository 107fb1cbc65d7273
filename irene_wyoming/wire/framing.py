"""Framing: an event as bytes. First comes a line of JSON (``type``, ``data``, ``data_length``, ``payload_length``).
Then come ``data_length`` bytes of JSON laid over ``data``, and ``payload_length`` raw bytes.

The wyoming package's own parser has no limits and ignores malformed input; here every failure is a ProtocolError that
says what was wrong, so that the peer can be told before the connection closes.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from wyoming.event import Event

from irene_wyoming.errors import FrameTooLarge, ProtocolError
from irene_wyoming.wire.limits import Limits

MAX_TYPE_CHARS = 64
"""Most characters of an event type, which goes into logs; the longest in use has 18."""

MAX_DEPTH = 16
"""Most levels of nested objects and lists. An Info, the deepest in use, has 5; recursive code fails at some 900."""


class Header(NamedTuple):
    """The contents of an event's first line."""

    type: str
    data: dict[str, Any]
    data_length: int
    payload_length: int


def encode(event: Event) -> bytes:
    """Encode an event as bytes. Empty data is sent too, since older versions of the wyoming package need it."""
    data = json.dumps(event.data or {}).encode()  # ASCII, since a peer's text may hold half a surrogate pair
    header: dict[str, Any] = {"type": event.type, "data_length": len(data)}
    if event.payload:
        header["payload_length"] = len(event.payload)
    return b"".join((json.dumps(header).encode(), b"\n", data, event.payload or b""))


def parse_header(line: bytes | bytearray, limits: Limits) -> Header:
    """Read an event's first line; raises ProtocolError where it is no header or exceeds the limits."""
    header = parse_object(line, "the header line")
    event_type = header.get("type")
    if not isinstance(event_type, str) or not 0 < len(event_type) <= MAX_TYPE_CHARS:
        raise ProtocolError(f"type: expected a string of 1 to {MAX_TYPE_CHARS} characters")
    data = header.get("data")
    if data is None:
        data = {}
    elif not isinstance(data, dict):
        raise ProtocolError("data: expected an object")
    data_length = length(header, "data_length", limits.data_bytes)
    return Header(event_type, data, data_length, length(header, "payload_length", limits.payload_bytes))


def parse_object(text: bytes | bytearray, what: str) -> dict[str, Any]:
    """Read a JSON object called ``what`` in errors; raises ProtocolError where it is none in UTF-8 or nested too
    deeply.
    """
    try:
        decoded = text.decode().strip()
        parsed, end = DECODER.raw_decode(decoded)  # decode() would look for blanks with regular expressions
        if end != len(decoded):
            raise ValueError("more than one value")
    except (ValueError, RecursionError):
        raise ProtocolError(f"{what}: not JSON: no Wyoming client sends that") from None
    if not isinstance(parsed, dict):
        raise ProtocolError(f"{what}: expected a JSON object")
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and is_deeper(parsed, MAX_DEPTH):
        raise ProtocolError(f"{what}: nested deeper than {MAX_DEPTH}")
    return parsed


def is_deeper(value: Any, most: int) -> bool:
    """Whether lists and objects are nested in one another more than ``most`` times; without recursion."""
    level = [value]
    for _ in range(most):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in members(outer)]
        if not level:
            return False
    return any(isinstance(outer, dict | list) for outer in level)


def members(outer: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer


def refuse_constant(name: str) -> None:
    """Refuse NaN and the infinities, which are no JSON and could not be sent on.

    :raises ValueError: always.
    """
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=refuse_constant)
"""A decoder made once: json.loads makes one for every call with options, which costs more than a chunk's header."""


def length(header: dict[str, Any], key: str, limit: int) -> int:
    """Read a length field of the header; absent, null and 0 are the same."""
    value = header.get(key)
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise ProtocolError(f"{key}: expected a whole number of bytes, 0 or more")
    if value > limit:
        shown = value if value < 2**63 else "of many digits"
        raise FrameTooLarge(f"{key} {shown}: at most {limit} bytes are taken")
    return value
