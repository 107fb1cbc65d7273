"""A client that has been accepted, and the facts for its conversation."""

import asyncio
import socket
from dataclasses import dataclass

from irene_wyoming.servers.access import is_local
from irene_wyoming.servers.places import Guest
from irene_wyoming.wire.connection import Connection


@dataclass(frozen=True, slots=True)
class Client:
    """A connected client of one server."""

    server: str
    host: str
    """The client's address; empty for a unix socket."""
    stopping: asyncio.Event
    """Set when the client is to go. One that is owed an answer may wait for it; others go in a pause."""

    def __str__(self) -> str:
        return f"{self.server}: {self.host or 'unix socket'}"


class Arrival:
    """A client that has been accepted."""

    def __init__(self, sock: socket.socket, host: str, *, silent: bool) -> None:
        """:param silent: the client is not expected to send anything."""
        self.sock = sock
        self.host = host
        self.connection: Connection | None = None
        self.task: asyncio.Task[None] | None = None
        self.stopping = asyncio.Event()
        """Set when the client is to go as soon as it loses nothing by that."""
        self.led = False
        """Whether a proxy has led the client here."""
        self._silent = silent
        self.newcomer = Guest(host, idle=lambda: True, dismiss=self.dismiss)
        self.guest = Guest(host, idle=self._idle, dismiss=self.dismiss, unlimited=is_local(host))

    def known_as(self, host: str) -> None:
        """Take note that it is a proxy's connection for this client."""
        self.host, self.led = host, True
        self.guest = Guest(host, idle=self._idle, dismiss=self.dismiss, unlimited=is_local(host))

    def dismiss(self) -> None:
        """Close the connection without an error event."""
        if self.task is not None:
            self.task.cancel()

    async def close(self) -> None:
        if self.connection is None:
            self.sock.close()
        else:
            await self.connection.close()
        for guest in (self.newcomer, self.guest):
            guest.forget()

    def _idle(self) -> bool:
        return not self._silent and (self.connection is None or self.connection.only_asks)
