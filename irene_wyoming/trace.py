"""One id per conversation, in the log lines of every process that handles it: proxy, front and server.

A connection begins with the id from a proxy, or with a new one. An event may bring another id, which then holds. Ids
come from the network, so they are limited to short, plain texts.
"""

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

KEY = "trace"
"""Key of the id in a request's ``context``, or in another event's data. Other programs ignore it."""

MAX_CHARS = 64
"""Most characters of an id. A UUID has 36, and nobody needs more to tell conversations apart."""

VALID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:-]{{0,{MAX_CHARS - 1}}}")


class Trace:
    """The id of one conversation. Its tasks share the object, so that all see a change."""

    __slots__ = ("told",)

    def __init__(self, told: str) -> None:
        self.told = told
        """The id; empty: one is made when somebody first asks for it."""


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin(told: str = "") -> None:
    """Begin a conversation in this task and in those that it starts.

    :param told: the given id; one that is not valid is replaced.
    """
    _CURRENT.set(Trace(told if VALID.fullmatch(told) else ""))


def current() -> str:
    """The id of this task's conversation; empty: it belongs to none."""
    trace = _CURRENT.get()
    if trace is None:
        return ""
    if not trace.told:
        trace.told = secrets.token_hex(8)
    return trace.told


def adopt(data: Mapping[str, Any]) -> None:
    """Take the id from an event's data, if there is one."""
    trace = _CURRENT.get()
    if trace is None:
        return
    context = data.get("context")
    for told in (context.get(KEY) if isinstance(context, dict) else None, data.get(KEY)):
        if isinstance(told, str) and VALID.fullmatch(told):
            trace.told = told
            return


def carried(data: Mapping[str, Any], *, in_context: bool) -> dict[str, Any]:
    """Add the id of this conversation to an event's data.

    :param in_context: put the id into the event's ``context``, which other servers pass on.
    """
    told = current()
    if not told:
        return dict(data)
    if not in_context:
        return {**data, KEY: told}
    context = data.get("context")
    return {**data, "context": {**(context if isinstance(context, dict) else {}), KEY: told}}
