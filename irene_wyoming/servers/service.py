"""Service: one listening address and its accepted connections."""

import asyncio
import errno
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from wyoming.error import Error

from irene_wyoming import descriptors, trace
from irene_wyoming.config.server import Access
from irene_wyoming.errors import AddressUnavailable, Draining, LimitExceeded, NotAllowed, ProtocolError
from irene_wyoming.metrics import CONNECTIONS, DRAINING, REFUSED
from irene_wyoming.servers.access import is_allowed, is_proxy, server_context, server_token
from irene_wyoming.servers.arrival import Arrival, Client
from irene_wyoming.servers.listener import Listener, exactly, keep_alive, streams
from irene_wyoming.servers.places import Places
from irene_wyoming.wire import proxy
from irene_wyoming.wire.address import Address, reason
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.limits import Limits, Room
from irene_wyoming.wire.token import shows

log = logging.getLogger(__name__)

REFUSALS_EVERY_S = 60.0

REFUSED_PATIENCE_S = 0.2
"""Seconds that a refused client gets to read the reason."""

NEWCOMERS = 32
"""Clients in a TLS handshake, or about to show the token. A handshake takes 0.3 MB, so all take 10."""

NEWCOMER_S = 5.0
"""Seconds for the handshake and the token, which take three or four ways over the network."""

PROOF_S = 0.5
"""Seconds in which a newcomer is safe from others of its address: one way over a poor Wi-Fi link."""

SILENT_S = 2.0
"""Seconds of silence after which a client may lose its place to another. Hubs and satellites begin at once."""

RELIEF_PARTS = 4
"""One of this many clients goes at a relief: all at once could overload the other servers."""

RELIEF_S = 10.0
"""Seconds in which proxies send nobody while clients wait for a pause. If all servers are behind, new clients wait as
long.
"""

GOES = "this server is being stopped: connect again to reach another one"

PROOF_BYTES = 1024
"""Most bytes of a newcomer's first event: a token has at most 256 characters."""


Serve = Callable[[Connection, Client], Awaitable[None]]
"""Serves one connection and closes it. Raises nothing."""


class Service:
    """Accepts connections on one address, within the limits, each in a task of its own.

    A client from a network that is not allowed is refused unless it can show a token. Until then, and during a TLS
    handshake, it is a newcomer: with few places, little time, and no payload.
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
        """:param access: who may connect; None: everybody, without TLS.
        :param drain_s: seconds that conversations get to end by themselves at a stop.
        :param notice_s: seconds before that in which proxies learn to send new clients elsewhere.
        :param silent: clients send nothing, and none loses its place for that.
        :param files_each: files that a client has open here.
        """
        self.name = name
        self._limits = limits
        self._room = Room(limits.total_payload_bytes)
        self._serve = serve
        self._access = access
        self._drain_s = drain_s
        self._notice_s = notice_s
        self._silent = silent
        self._draining = False  # whether proxies are told to send no more clients
        self._relieving = False  # whether they are told so for a while
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
        self._refusals = 0  # refusals since the last one that was logged
        self._refused_at = -REFUSALS_EVERY_S

    @property
    def address(self) -> Address:
        """The listening address, with the port that was really taken."""
        return self._listener.address

    @property
    def connections(self) -> int:
        """The number of present connections."""
        return len(self._arrivals)

    async def start(self) -> None:
        """Begin to listen. Afterwards ``address`` has the port that was really taken.

        :raises AddressUnavailable: the address cannot be used.
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
        """Let conversations end, and tell new clients to ask another server. ``stop`` follows.

        Proxies are told first, and clients that they send before they notice are served as ever.
        """
        self._draining = True
        DRAINING.labels(self.name).set(1)
        if self._notice_s:
            log.info("%s: proxies have %g s to send new clients elsewhere", self.name, self._notice_s)
            await asyncio.sleep(self._notice_s)
        await self._let_end()

    def hurry(self) -> None:
        """Give conversations no more time to end when the service stops."""
        self._drain_s = 0.0

    async def relieve(self) -> int:
        """Send away a quarter of the clients that a proxy has led here, each when nothing is lost.

        Meanwhile the proxy sends nobody else. Returns how many clients have gone.
        """
        led = [task for task, arrival in self._arrivals.items() if arrival.led]
        going = led[: -(-len(led) // RELIEF_PARTS)]
        if not going:
            return 0
        self._relieving = True
        try:
            await asyncio.sleep(self._notice_s)
            for task in going:
                if (arrival := self._arrivals.get(task)) is not None:
                    arrival.stopping.set()
            done, _ = await asyncio.wait(going, timeout=RELIEF_S)
        finally:
            self._relieving = False
        return len(done)

    async def stop(self) -> None:
        """Stop listening, let conversations end unless ``drain`` did, then end all. May be called more than once."""
        self._draining = True
        await self._listener.close()
        await self._let_end()
        for task in list(self._arrivals):
            task.cancel()
        if self._arrivals:
            await asyncio.wait(list(self._arrivals))

    async def _let_end(self) -> None:
        """Let conversations end, each when nothing is lost. They get ``drain_s`` for that, once."""
        self._stopping.set()
        drain_s, self._drain_s = self._drain_s, 0.0
        for arrival in list(self._arrivals.values()):
            arrival.stopping.set()
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
        """Serve one client from its acceptance to its end."""
        trace.begin()
        try:
            await self._settle(arrival)
            assert arrival.connection is not None
            await self._serve(arrival.connection, Client(self.name, arrival.host, arrival.stopping))
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

        :raises ProtocolError: the client is not allowed, or there is no place.
        :raises OSError: it has gone.
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
        """Read the client for whom a proxy has connected.

        :raises ProtocolError: the proxy's header is invalid.
        :raises OSError: it has gone.
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
        elif self._draining or self._relieving:  # the proxy checks our health
            raise Draining(GOES)

    def _stranger(self, host: str) -> str:
        """Why a client with this address may not be served as it is; empty: it may."""
        if self._access is None or is_allowed(host, self._access.allow):
            return ""
        return f"{host} is in none of the networks that {self.name}.access.allow names"

    async def _see_token(self, connection: Connection, unknown: str) -> None:
        """Read the token; raises ProtocolError where something else comes first."""
        first = await connection.read(NEWCOMER_S)
        if first is None or not shows(first, self._token):
            raise NotAllowed(f"{unknown}, and did not show the token first")

    async def _refuse(self, arrival: Arrival, refusal: ProtocolError) -> None:
        """Send the reason, where that takes no handshake and not too many clients are being refused."""
        crowd = len(self._arrivals) - len(self._places) - len(self._newcomers)
        if crowd > self._shares.crowd or (arrival.connection is None and self._context is not None):
            return
        with suppress(OSError, LimitExceeded):
            connection = arrival.connection or await self._open(arrival, self._limits)
            await connection.write(Error(text=str(refusal), code=refusal.code))
            await connection.finish(REFUSED_PATIENCE_S)

    def _log_refusal(self, host: str, refusal: ProtocolError) -> None:
        """Log refusals once a minute, however many there are."""
        REFUSED.labels(self.name, refusal.code).inc()
        self._refusals += 1
        now = time.monotonic()
        if now - self._refused_at >= REFUSALS_EVERY_S:
            log.warning("%s: %s refused: %s (%d since the last such line)", self.name, host, refusal, self._refusals)
            self._refused_at, self._refusals = now, 0

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._arrivals.pop(task).task = None  # breaks a cycle of 0.3 MB that would last until the next collection
        CONNECTIONS.labels(self.name).dec()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: a bug in this server", self.name, exc_info=error)
