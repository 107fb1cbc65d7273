"""One id for one conversation, which the log lines of everybody whom it passes carry: proxy, front and server.

A connection begins with the id that a proxy gives it, or with one of its own. An event may bring another one, from
whoever passes the conversation on; that holds from then on. Ids come from the network: short, and of plain characters.
"""

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

KEY = "trace"
"""In the ``context`` of a request, or in the data of another event. Who does not know it ignores it."""

MAX_CHARS = 64
"""A UUID has 36; nobody needs more to tell conversations apart."""

VALID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:-]{{0,{MAX_CHARS - 1}}}")


class Trace:
    """The id of one conversation. Its tasks share the object, so that all of them see it change."""

    __slots__ = ("id",)

    def __init__(self, told: str) -> None:
        self.id = told


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin(told: str = "") -> None:
    """A conversation begins in this task; tasks that it starts belong to it.

    :param told: its id, if somebody has given it one that is valid.
    """
    _CURRENT.set(Trace(told if VALID.fullmatch(told) else secrets.token_hex(8)))


def current() -> str:
    """The id of the conversation that this task belongs to; empty: it belongs to none."""
    trace = _CURRENT.get()
    return "" if trace is None else trace.id


def adopt(data: Mapping[str, Any]) -> None:
    """Take the id that an event's data brings, if there is one."""
    trace = _CURRENT.get()
    if trace is None:
        return
    context = data.get("context")
    for told in (context.get(KEY) if isinstance(context, dict) else None, data.get(KEY)):
        if isinstance(told, str) and VALID.fullmatch(told):
            trace.id = told
            return


def carried(data: Mapping[str, Any], *, in_context: bool) -> dict[str, Any]:
    """An event's data with the id of this conversation.

    :param in_context: the event has a ``context``, where servers of others expect what they are to pass on.
    """
    told = current()
    if not told:
        return dict(data)
    if not in_context:
        return {**data, KEY: told}
    context = data.get("context")
    return {**data, "context": {**(context if isinstance(context, dict) else {}), KEY: told}}
