"""An HTTP server that no client can hold up: places, requests and waits are all bounded.

aiohttp reads a request for as long as a client takes to send it. So each connection has a few seconds in all, unless
its handler keeps it, and is closed after one request. Where all places are taken, the oldest connection without a
request goes: real clients ask at once.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.typedefs import Handler

from irene_wyoming import descriptors
from irene_wyoming.wire.address import Address

log = logging.getLogger(__name__)

requests_log = logging.getLogger(f"{__name__}.requests")
"""The library's own log of failed requests."""

REQUEST_BYTES = 8_190
"""Most bytes of a request's first line, and of each header; a browser sends some 500 in all."""

REQUEST_TIMEOUT_S = 5.0
"""Seconds from accept to close, except for lasting conversations."""

BACKLOG = 128
"""Connections that the kernel queues while the loop is busy."""

ACCEPTED = 8
"""Connections accepted before the loop reads again. With more, a flood of silent ones could replace a client whose
request is still unread.
"""

CLOSE_S = 1.0
"""Seconds that conversations get to end when the server does."""

Allowed = Callable[[str], bool]
"""Tells whether a client of this address may connect."""


class NoRequest(logging.Filter):
    """Logs an invalid request in a line, where the library logs a traceback. A client that has gone before its answer
    is not logged.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            what = "a line that is too long" if isinstance(error, LineTooLong) else "what is no request"
            record.msg, record.args = "web: %s was sent away: it sends %s", (*(record.args or ("a client",)), what)
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = None
        return not isinstance(error, ConnectionResetError)


requests_log.addFilter(NoRequest())


class Places:
    """The connections of one server."""

    def __init__(self, at_most: int, allowed: Allowed) -> None:
        self._at_most = at_most
        self._allowed = allowed
        self._taken: dict[asyncio.Transport, _Connection] = {}  # oldest first

    def keep(self, request: web.Request) -> None:
        """Keep a lasting conversation: it has no deadline, and keeps its place when others come."""
        connection = self._taken.get(cast(asyncio.Transport, request.transport))
        if connection is not None:
            connection.keep()

    def asked(self, request: web.Request) -> None:
        """Take note of a complete request: its connection goes after those without one."""
        connection = self._taken.get(cast(asyncio.Transport, request.transport))
        if connection is not None:
            connection.asked = True

    def take(self, transport: asyncio.Transport, connection: "_Connection") -> bool:
        """Take a place for a new connection; False: it gets none."""
        peer = transport.get_extra_info("peername")
        if not self._allowed(peer[0] if isinstance(peer, tuple) else ""):
            return False
        if len(self._taken) >= self._at_most:
            waiting = [(other, known.asked) for other, known in self._taken.items() if not known.kept]
            idle = next((other for other, asked in waiting if not asked), waiting[0][0] if waiting else None)
            if idle is None:
                return False
            del self._taken[idle]
            idle.abort()
        self._taken[transport] = connection
        return True

    def leave(self, transport: asyncio.Transport) -> None:
        self._taken.pop(transport, None)

    def close(self) -> None:
        """End all connections."""
        for transport in list(self._taken):
            transport.abort()


PLACES = web.AppKey("places", Places)


class _Connection(asyncio.Protocol):
    """Wraps aiohttp's own protocol, which has no deadline."""

    def __init__(self, inner: asyncio.Protocol, places: Places) -> None:
        self._inner = inner
        self._places = places
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.kept = False
        self.asked = False

    def keep(self) -> None:
        self.kept = True
        if self._deadline is not None:
            self._deadline.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        if not self._places.take(transport, self):
            transport.abort()
            return
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(REQUEST_TIMEOUT_S, transport.abort)
        self._inner.connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is None:
            return
        self._places.leave(self._transport)
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        self._inner.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._transport is not None else None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def everybody(_host: str) -> bool:
    return True


@web.middleware
async def once(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Close the connection after its answer."""
    request.app[PLACES].asked(request)
    try:
        response = await handler(request)
    except web.HTTPException as refused:
        refused.force_close()
        raise
    response.force_close()
    return response


@asynccontextmanager
async def serving(
    app: web.Application, address: Address, places: int, allowed: Allowed | None = None
) -> AsyncIterator[Address]:
    """Serve at an address while the context lasts. Gives the address with the port that was really taken.

    :param places: connections at a time; fewer where few files may be open.
    :param allowed: who may connect; None: everybody.

    :raises OSError: the address cannot be used.
    """
    app[PLACES] = taken = Places(descriptors.few(places), allowed or everybody)
    app.middlewares.insert(0, once)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=requests_log,
        handler_cancellation=True,
        max_line_size=REQUEST_BYTES,
        max_field_size=REQUEST_BYTES,
        lingering_time=0,
        shutdown_timeout=CLOSE_S,
    )
    await runner.setup()
    make = cast(Callable[[], asyncio.Protocol], runner.server)
    server = None
    try:
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(make(), taken),
            address.host,
            address.port,
            reuse_address=True,
            backlog=descriptors.few(ACCEPTED),
        )
        for listening in server.sockets:
            with socket.fromfd(listening.fileno(), listening.family, listening.type) as again:
                again.listen(BACKLOG)  # the loop uses one number for the queue and for accepts at once
        yield Address(host=address.host, port=server.sockets[0].getsockname()[1])
    finally:
        if server is not None:
            server.close()
        await runner.cleanup()
        taken.close()
