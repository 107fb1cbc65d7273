"""Role: a server's behaviour in one conversation, without a socket."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Protocol

from wyoming.event import Event, Eventable


class Peer(Protocol):
    """The other side of a conversation."""

    async def send(self, event: Event | Eventable) -> None:
        """Send one event; waits while the peer has no room for it.

        :raises LimitExceeded: the peer does not read.
        :raises ConnectionError: the peer has gone.
        """

    async def send_encoded(self, encoded: bytes) -> None:
        """Send an encoded event, like ``send``. Useful where many peers get the same one."""

    def spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        """Start a task of the role. When it ends, so does the conversation; the peer is told of an error.

        A task that the role cancels leaves the conversation as it is. ``close`` must cancel running ones.
        """

    def hurry(self) -> None:
        """Take note that the peer's audio matters sooner than ``Role.missing_s`` has said."""


class Role(ABC):
    """One conversation. Its maker calls ``opened`` once, ``on_event`` in order, and ``close`` in the end.

    The defaults here let a long silent client go, and take everything it sends as urgent. A role overrides what
    differs.
    """

    takes_runs = False
    """Whether chunks that arrived together may come as one ``AudioRun``."""

    @property
    def idle_ok(self) -> bool:
        """Whether the peer may be silent for ever at present."""
        return False

    @property
    def patience_s(self) -> float:
        """Seconds that the peer may be silent at present, where the configuration allows no less."""
        return math.inf

    @property
    def answers_ping(self) -> bool:
        """Whether the role itself answers pings at present."""
        return False

    @property
    def owes_answer(self) -> bool:
        """Whether the peer waits for an answer; a server that stops gives it some time."""
        return False

    @property
    def missing_s(self) -> float:
        """Seconds of audio that must arrive before anything can be heard in it; 0: read at once. Pings in between are
        answered later by so much.
        """
        return 0.0

    async def opened(self) -> None:  # noqa: B027  # most roles begin with the first event
        """Begin the conversation. It must be quick: most connections only ask for Info and leave."""

    @abstractmethod
    async def on_event(self, event: Event) -> bool:
        """Take one event, including those that the handler has answered. False ends the conversation.

        :raises IreneError: the peer gets its text and code, then the conversation ends.
        """

    async def pause(self) -> bool:
        """Called when the server stops and owes no answer: return when the conversation can end without loss.

        True: the peer is within a stream, and is told that it ends. False: it is doing nothing.
        """
        return False

    async def on_end(self) -> None:  # noqa: B027  # most roles owe nothing then
        """Finish what the peer waits for: it sends nothing more, but may still read."""

    async def close(self) -> None:  # noqa: B027  # some hold nothing
        """Give all resources back. May be called more than once."""


RoleFactory = Callable[[Peer], Role]
