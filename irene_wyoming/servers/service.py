"""Service: one listening address and the connections that it has accepted."""

import asyncio
import errno
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from wyoming.error import Error

from irene_wyoming import descriptors, trace
from irene_wyoming.config.server import Access
from irene_wyoming.errors import AddressUnavailable, Draining, LimitExceeded, NotAllowed, ProtocolError
from irene_wyoming.metrics import CONNECTIONS, DRAINING, REFUSED
from irene_wyoming.servers.access import is_allowed, is_local, is_proxy, server_context, server_token
from irene_wyoming.servers.listener import Listener, exactly, keep_alive, streams
from irene_wyoming.servers.places import Guest, Places
from irene_wyoming.wire import proxy
from irene_wyoming.wire.address import Address, reason
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.limits import Limits, Room
from irene_wyoming.wire.token import shows

log = logging.getLogger(__name__)

REFUSALS_EVERY_S = 60.0

REFUSED_PATIENCE_S = 0.2
"""What a client beyond the limit gets to read why."""

NEWCOMERS = 32
"""Clients in a TLS handshake, or about to show the token. A handshake takes 0.3 MB, so all of them 10."""

NEWCOMER_S = 5.0
"""What such a client gets for it. A handshake takes three ways over the network, the token comes with the first."""

PROOF_S = 0.5
"""For so long a newcomer is safe from others of its own address: one way over a poor Wi-Fi link."""

SILENT_S = 2.0
"""For so long a client with a place may say nothing before it can lose that place to another. Hubs and satellites say
what they want at once."""

GOES = "this server is being stopped: connect again to reach another one"

PROOF_BYTES = 1024
"""Of a newcomer's first event: a token has at most 256 characters."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who is connected to which server."""

    server: str
    host: str
    """Its address; empty for a unix socket."""
    stopping: asyncio.Event
    """Set when the server stops: whoever is owed an answer may wait for it, everybody else goes."""

    def __str__(self) -> str:
        return f"{self.server}: {self.host or 'unix socket'}"


class Arrival:
    """A client that has been accepted."""

    def __init__(self, sock: socket.socket, host: str, *, silent: bool) -> None:
        """:param silent: nothing is expected of it."""
        self.sock = sock
        self.host = host
        self.connection: Connection | None = None
        self.task: asyncio.Task[None] | None = None
        self._silent = silent
        self.newcomer = Guest(host, idle=lambda: True, dismiss=self.dismiss)
        self.guest = Guest(host, idle=self._idle, dismiss=self.dismiss, unlimited=is_local(host))

    def known_as(self, host: str) -> None:
        """It is a proxy's connection for this client."""
        self.host = host
        self.guest = Guest(host, idle=self._idle, dismiss=self.dismiss, unlimited=is_local(host))

    def dismiss(self) -> None:
        """End it without a word."""
        if self.task is not None:
            self.task.cancel()

    async def close(self) -> None:
        if self.connection is None:
            self.sock.close()
        else:
            await self.connection.close()

    def _idle(self) -> bool:
        return not self._silent and (self.connection is None or not self.connection.taken_bytes)


Serve = Callable[[Connection, Client], Awaitable[None]]
"""Serve one connection and close it. Raises nothing."""


class Service:
    """Accepts connections on one address, each in a task of its own, never more than the limits allow.

    A client from a network that may not connect is sent away, unless there is a token for it to show. Until it has,
    and until a TLS handshake is over, it is a newcomer: with few places, little time, and no payload.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        limits: Limits,
        serve: Serve,
        access: Access | None = None,
        drain_s: float = 0.0,
        *,
        notice_s: float = 0.0,
        silent: bool = False,
        files_each: int = 1,
    ) -> None:
        """:param access: None: everybody, without TLS.
        :param drain_s: what conversations get to end by themselves when the service stops.
        :param notice_s: what proxies get before that, to send new clients elsewhere.
        :param silent: its clients say nothing: none loses its place for that.
        :param files_each: what a client has open here.
        """
        self.name = name
        self._limits = limits
        self._room = Room(limits.total_payload_bytes)
        self._serve = serve
        self._access = access
        self._drain_s = drain_s
        self._notice_s = notice_s
        self._silent = silent
        self._draining = False  # proxies are told that they are to send nobody any more
        self._stopping = asyncio.Event()
        self._token = ""
        self._context: ssl.SSLContext | None = None  # None: no TLS
        self._shares = descriptors.shares(limits.max_connections, files_each)
        crowd = self._shares.crowd
        self._listener = Listener(address, self._accepted, crowd)
        self._places = Places(self._shares.clients, limits.max_connections_per_address, crowd, patience_s=SILENT_S)
        newcomers = min(NEWCOMERS, crowd)
        self._newcomers = Places(newcomers, newcomers, crowd, patience_s=PROOF_S)
        self._arrivals: dict[asyncio.Task[None], Arrival] = {}
        self._refusals = 0  # since the last one that was logged
        self._refused_at = -REFUSALS_EVERY_S

    @property
    def address(self) -> Address:
        """Once it listens, with the port that was really taken."""
        return self._listener.address

    @property
    def connections(self) -> int:
        """How many there are at the moment."""
        return len(self._arrivals)

    async def start(self) -> None:
        """Listen. Afterwards ``address`` has the port that was really taken.

        :raises AddressUnavailable: the address cannot be had.
        :raises ConfigError: the certificate or the token cannot be used.
        """
        if self._access is not None:
            self._token = await asyncio.to_thread(server_token, self._access)
            if self.address.tls:
                self._context = await asyncio.to_thread(server_context, self._access)
        try:
            await self._listener.start(self._access.socket_mode if self._access else None)
        except OSError as error:
            taken = "; another server is running there" if error.errno == errno.EADDRINUSE else ""
            raise AddressUnavailable(
                f"{self.name}: cannot listen on {self.address.uri}: {reason(error)}{taken}"
            ) from error
        DRAINING.labels(self.name).set(0)
        log.info("%s: ready on %s", self.name, self.address.uri)

    async def drain(self) -> None:
        """Let conversations end, while whoever connects is told in words to ask another server. ``stop`` follows.

        Proxies are told first, and what they send until they know is served as ever.
        """
        self._draining = True
        DRAINING.labels(self.name).set(1)
        if self._notice_s:
            log.info("%s: proxies have %g s to send new clients elsewhere", self.name, self._notice_s)
            await asyncio.sleep(self._notice_s)
        await self._let_end()

    def hurry(self) -> None:
        """Conversations get no time to end any more when the service stops."""
        self._drain_s = 0.0

    async def stop(self) -> None:
        """Listen no more, let conversations end unless ``drain`` did, then end all. May be called more than once."""
        self._draining = True
        await self._listener.close()
        await self._let_end()
        for task in list(self._arrivals):
            task.cancel()
        if self._arrivals:
            await asyncio.wait(list(self._arrivals))

    async def _let_end(self) -> None:
        """Let conversations end, each at a moment at which nothing is lost. They get ``drain_s`` for it, once."""
        self._stopping.set()
        drain_s, self._drain_s = self._drain_s, 0.0
        for arrival in list(self._arrivals.values()):
            if arrival.guest not in self._places:
                arrival.dismiss()
        if self._arrivals and drain_s:
            await asyncio.wait(list(self._arrivals), timeout=drain_s)

    async def __aenter__(self) -> "Service":
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    def _accepted(self, sock: socket.socket, host: str) -> None:
        keep_alive(sock)
        arrival = Arrival(sock, host, silent=self._silent)
        task = asyncio.get_running_loop().create_task(self._connection(arrival), name=f"{self.name} {host}")
        arrival.task = task
        self._arrivals[task] = arrival
        CONNECTIONS.labels(self.name).inc()
        task.add_done_callback(self._ended)

    async def _connection(self, arrival: Arrival) -> None:
        """One client, from its being accepted to its end."""
        trace.begin()
        try:
            await self._settle(arrival)
            assert arrival.connection is not None
            await self._serve(arrival.connection, Client(self.name, arrival.host, self._stopping))
        except ProtocolError as refusal:
            self._newcomers.give(arrival.newcomer)
            self._log_refusal(arrival.host, refusal)
            await self._refuse(arrival, refusal)
        except OSError as error:
            log.debug("%s: %s: connection lost: %s", self.name, arrival.host, reason(error))
        finally:
            self._newcomers.give(arrival.newcomer)
            self._places.give(arrival.guest)
            await arrival.close()

    async def _settle(self, arrival: Arrival) -> None:
        """Open the connection and find a place for it.

        :raises ProtocolError: the client may not be served, or there is no place.
        :raises OSError: it is gone.
        """
        if self._access is not None and is_proxy(arrival.host, self._access.proxies):
            await self._see_client(arrival)
        if self._stopping.is_set():
            raise Draining(GOES)
        stranger = self._stranger(arrival.host)
        if stranger and not self._token:
            raise NotAllowed(stranger)
        if stranger or self._context is not None:
            await self._newcomers.take(arrival.newcomer)
            few = replace(self._limits, header_bytes=PROOF_BYTES, data_bytes=PROOF_BYTES, payload_bytes=0)
            connection = await self._open(arrival, few if stranger else self._limits)
            if stranger:
                await self._see_token(connection, stranger)
                connection.take_more(self._limits)
            self._newcomers.give(arrival.newcomer)
        await self._places.take(arrival.guest)
        if arrival.connection is None:
            await self._open(arrival, self._limits)

    async def _open(self, arrival: Arrival, limits: Limits) -> Connection:
        reader, writer = await streams(arrival.sock, self._context, NEWCOMER_S)
        arrival.connection = Connection(reader, writer, limits, self._room)
        return arrival.connection

    async def _see_client(self, arrival: Arrival) -> None:
        """Read for whom a proxy has connected.

        :raises ProtocolError: it does not say so.
        :raises OSError: it is gone.
        """
        await self._newcomers.take(arrival.newcomer)
        try:
            async with asyncio.timeout(NEWCOMER_S):
                head = await exactly(arrival.sock, proxy.HEAD_BYTES)
                rest = await exactly(arrival.sock, proxy.rest_bytes(head))
                host = proxy.client(head, rest)
        except TimeoutError:
            raise ProtocolError(f"no header of the PROXY protocol within {NEWCOMER_S:g} s") from None
        self._newcomers.give(arrival.newcomer)
        if host is not None:
            arrival.known_as(host)
            trace.begin(proxy.connection_id(head, rest))
        elif self._draining:  # it asks for itself whether we are well
            raise Draining(GOES)

    def _stranger(self, host: str) -> str:
        """Why a client from there may not be served as it is; empty where it may."""
        if self._access is None or is_allowed(host, self._access.allow):
            return ""
        return f"{host} is in none of the networks that {self.name}.access.allow names"

    async def _see_token(self, connection: Connection, unknown: str) -> None:
        """:raises ProtocolError: what comes first is not the token."""
        first = await connection.read(NEWCOMER_S)
        if first is None or not shows(first, self._token):
            raise NotAllowed(f"{unknown}, and did not show the token first")

    async def _refuse(self, arrival: Arrival, refusal: ProtocolError) -> None:
        """Say why, where that takes no handshake and not too many are told at once."""
        crowd = len(self._arrivals) - len(self._places) - len(self._newcomers)
        if crowd > self._shares.crowd or (arrival.connection is None and self._context is not None):
            return
        with suppress(OSError, LimitExceeded):
            connection = arrival.connection or await self._open(arrival, self._limits)
            await connection.write(Error(text=str(refusal), code=refusal.code))
            await connection.finish(REFUSED_PATIENCE_S)

    def _log_refusal(self, host: str, refusal: ProtocolError) -> None:
        """One line a minute, however many are refused."""
        REFUSED.labels(self.name, refusal.code).inc()
        self._refusals += 1
        now = time.monotonic()
        if now - self._refused_at >= REFUSALS_EVERY_S:
            log.warning("%s: %s refused: %s (%d since the last such line)", self.name, host, refusal, self._refusals)
            self._refused_at, self._refusals = now, 0

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._arrivals.pop(task).task = None  # they hold each other: 0.3 MB until garbage is looked for
        CONNECTIONS.labels(self.name).dec()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: a bug in this server", self.name, exc_info=error)
