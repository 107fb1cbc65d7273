"""Role: what a server does in one conversation, without a socket."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from wyoming.event import Event, Eventable

Send = Callable[[Eventable], Awaitable[None]]
"""Send one event to the peer; waits while the peer has no room for it."""


class Role(Protocol):
    """One conversation. Whoever makes it calls ``opened`` once, ``on_event`` in order, and ``close`` in the end."""

    @property
    def idle_ok(self) -> bool:
        """True: the peer may be silent for ever."""

    async def opened(self) -> None:
        """The connection stands. Nothing slow happens here: most connections only ask for Info and leave."""

    async def on_event(self, event: Event) -> bool:
        """Take one event, also those that the handler has answered itself. False ends the conversation.

        :raises IreneError: the peer is told its text and code, then the conversation ends.
        """

    async def close(self) -> None:
        """Give everything back. May be called more than once."""


RoleFactory = Callable[[Send], Role]
