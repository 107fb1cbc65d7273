"""Role: what a server does in one conversation, without a socket."""

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
        :raises ConnectionError: the peer is gone.
        """

    async def send_encoded(self, encoded: bytes) -> None:
        """As ``send``, of an event that is bytes already: many peers get it."""

    def spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        """Start a task of the role's own. When it ends, so does the conversation, an error being told to the peer.

        A task that the role cancels leaves the conversation as it is; ``close`` must cancel what still runs.
        """

    def hurry(self) -> None:
        """What the peer sends matters sooner than ``Role.missing_s`` has said."""


class Role(ABC):
    """One conversation. Whoever makes it calls ``opened`` once, ``on_event`` in order, and ``close`` in the end.

    A role states what differs from the answers here: a client that says nothing for long is let go, and everything
    that it sends matters at once.
    """

    takes_runs = False
    """True: audio chunks that have arrived together may come as one ``AudioRun``."""

    @property
    def idle_ok(self) -> bool:
        """True: the peer may be silent for ever, as things stand now."""
        return False

    @property
    def patience_s(self) -> float:
        """Seconds that the peer may be silent, as things stand now, where the configuration allows no less."""
        return math.inf

    @property
    def answers_ping(self) -> bool:
        """True: the role answers pings itself, as things stand now."""
        return False

    @property
    def owes_answer(self) -> bool:
        """True: the peer has said something that it waits for an answer to; a server that stops gives it some time."""
        return False

    @property
    def missing_s(self) -> float:
        """Seconds of audio that the peer must send before anything can be heard in it. Pings and questions in between
        are answered later by so much; 0: at once.
        """
        return 0.0

    async def opened(self) -> None:  # noqa: B027  # most roles begin with the first event
        """The connection stands. Nothing slow happens here: most connections only ask for Info and leave."""

    @abstractmethod
    async def on_event(self, event: Event) -> bool:
        """Take one event, also those that the handler has answered itself. False ends the conversation.

        :raises IreneError: the peer is told its text and code, then the conversation ends.
        """

    async def pause(self) -> bool:
        """The server is being stopped, and the peer is owed no answer: return when it would lose nothing by the end of
        the conversation.

        True: the peer is amid a stream, and is told gently that it ends. False: it is doing nothing.
        """
        return False

    async def on_end(self) -> None:  # noqa: B027  # most roles owe nothing then
        """The peer will send nothing more, but may still read; finish what it is waiting for."""

    async def close(self) -> None:  # noqa: B027  # some hold nothing
        """Give everything back. May be called more than once."""


RoleFactory = Callable[[Peer], Role]
