"""Service: one listening address and the connections that it has accepted."""

import asyncio
import errno
import logging
import os
import socket
import stat
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from wyoming.error import Error

from irene_wyoming.config.model import Access
from irene_wyoming.errors import AddressUnavailable, LimitExceeded, NotAllowed, ProtocolError
from irene_wyoming.metrics import CONNECTIONS, REFUSED
from irene_wyoming.servers.access import is_allowed, is_local, server_context, server_token
from irene_wyoming.wire.address import Address, reason
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.limits import Limits, Room
from irene_wyoming.wire.token import shows

log = logging.getLogger(__name__)

REFUSALS_EVERY_S = 60.0

REFUSED_PATIENCE_S = 0.2
"""What a client beyond the limit gets to read why; it counts as a connection so long."""

REFUSED_AT_ONCE = 64
"""Clients beyond the limit that are told why at the same time; more are hung up on. Each takes one of the 1024 files
that a process may have open."""

HELD_BYTES = 4096
"""asyncio leaves the socket alone while more than twice this waits to be read: a quarter of a second of speech, more
than a live client is ever ahead. What a faster one sends waits in the kernel and is taken many events at a time."""


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


Serve = Callable[[Connection, Client], Awaitable[None]]
"""Serve one connection and close it. Raises nothing."""


class Service:
    """Accepts connections on one address, each in a task of its own, never more than the limits allow."""

    def __init__(
        self,
        name: str,
        address: Address,
        limits: Limits,
        serve: Serve,
        access: Access | None = None,
        drain_s: float = 0.0,
    ) -> None:
        """:param access: None: everybody, without TLS.
        :param drain_s: what conversations get to end by themselves when the service stops.
        """
        self.name = name
        self.address = address
        self._limits = limits
        self._room = Room(limits.total_payload_bytes)
        self._serve = serve
        self._access = access
        self._drain_s = drain_s
        self._stopping = asyncio.Event()
        self._token = ""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._per_host: Counter[str] = Counter()
        self._inode = 0  # of our unix socket: another server may have put its own in its place
        self._refusals = 0  # since the last one that was logged
        self._refused_at = -REFUSALS_EVERY_S

    async def start(self) -> None:
        """Listen. Afterwards ``address`` has the port that was really taken.

        :raises AddressUnavailable: the address cannot be had.
        :raises ConfigError: the certificate or the token cannot be used.
        """
        if self._access is not None:
            self._token = await asyncio.to_thread(server_token, self._access)
        try:
            self._server = await (self._listen_unix() if self.address.path else self._listen_tcp())
        except OSError as error:
            taken = "; another server is running there" if error.errno == errno.EADDRINUSE else ""
            raise AddressUnavailable(
                f"{self.name}: cannot listen on {self.address.uri}: {reason(error)}{taken}"
            ) from error
        log.info("%s: ready on %s", self.name, self.address.uri)

    async def _listen_unix(self) -> asyncio.Server:
        path = self.address.path
        await remove_stale_socket(path)
        sock = await asyncio.to_thread(bound_socket, path, self._access.socket_mode if self._access else None)
        self._inode = await asyncio.to_thread(inode, path)
        return await asyncio.start_unix_server(self._accept, sock=sock, limit=HELD_BYTES)

    async def _listen_tcp(self) -> asyncio.Server:
        context = None
        if self.address.tls and self._access is not None:
            context = await asyncio.to_thread(server_context, self._access)
        server = await asyncio.start_server(
            self._accept,
            self.address.host,
            self.address.port,
            limit=HELD_BYTES,
            ssl=context,
            ssl_handshake_timeout=self._limits.event_timeout_s if context else None,
        )
        self.address = replace(self.address, port=server.sockets[0].getsockname()[1])
        return server

    async def stop(self) -> None:
        """Listen no more, let conversations end that owe an answer, then end all. May be called more than once."""
        if self._server is not None:
            self._server.close()
            self._server = None
            if self.address.path:
                await asyncio.to_thread(remove_own_socket, self.address.path, self._inode)
        self._stopping.set()
        if self._tasks and self._drain_s:
            await asyncio.wait(self._tasks, timeout=self._drain_s)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def __aenter__(self) -> "Service":
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    @property
    def connections(self) -> int:
        return len(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = peer_host(writer)
        if len(self._tasks) >= self._limits.max_connections + REFUSED_AT_ONCE:
            self._log_refusal(host, LimitExceeded("too many connections"))
            writer.transport.abort()
            return
        connection = Connection(reader, writer, self._limits, self._room)
        task = asyncio.get_running_loop().create_task(self._connection(connection, host), name=f"{self.name} {host}")
        self._tasks.add(task)
        CONNECTIONS.labels(self.name).inc()
        self._per_host[host] += 1
        task.add_done_callback(lambda done: self._ended(done, host))
        keep_alive(writer)

    async def _connection(self, connection: Connection, host: str) -> None:
        try:
            refusal = self._too_many(host) or await self._stranger(connection, host)
            if refusal is None:
                await self._serve(connection, Client(self.name, host, self._stopping))
            else:
                self._log_refusal(host, refusal)
                with suppress(OSError, LimitExceeded):
                    await connection.write(Error(text=str(refusal), code=refusal.code))
                    await connection.finish(REFUSED_PATIENCE_S)
        finally:
            await connection.close()

    def _log_refusal(self, host: str, refusal: ProtocolError) -> None:
        """One line a minute, however many are refused."""
        REFUSED.labels(self.name, refusal.code).inc()
        self._refusals += 1
        now = time.monotonic()
        if now - self._refused_at >= REFUSALS_EVERY_S:
            log.warning("%s: %s refused: %s (%d since the last such line)", self.name, host, refusal, self._refusals)
            self._refused_at, self._refusals = now, 0

    def _too_many(self, host: str) -> ProtocolError | None:
        if len(self._tasks) > self._limits.max_connections:
            return LimitExceeded(f"too many connections: at most {self._limits.max_connections} at a time")
        if not is_local(host) and self._per_host[host] > self._limits.max_connections_per_address:
            most = self._limits.max_connections_per_address
            return LimitExceeded(f"too many connections of one address: at most {most} at a time")
        return None

    async def _stranger(self, connection: Connection, host: str) -> ProtocolError | None:
        """Why this client may not be served; None where it may."""
        if self._access is None or is_allowed(host, self._access.allow):
            return None
        unknown = f"{host} is in none of the networks that {self.name}.access.allow names"
        if not self._token:
            return NotAllowed(unknown)
        try:
            first = await connection.read(self._limits.event_timeout_s)
        except ProtocolError as error:
            return error
        except OSError as error:
            return NotAllowed(f"{unknown}, and is gone: {reason(error)}")
        if first is None or not shows(first, self._token):
            return NotAllowed(f"{unknown}, and did not show the token first")
        return None

    def _ended(self, task: asyncio.Task[None], host: str) -> None:
        self._tasks.discard(task)
        CONNECTIONS.labels(self.name).dec()
        self._per_host[host] -= 1
        if not self._per_host[host]:
            del self._per_host[host]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: a bug in this server", self.name, exc_info=error)


def peer_host(writer: asyncio.StreamWriter) -> str:
    """The address of the other side; empty for a unix socket."""
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the kernel notice a satellite that lost its power: a wake stream may otherwise be silent for ever."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


def bound_socket(path: str, mode: int | None) -> socket.socket:
    """A socket bound to that path, with these permissions before anybody can connect."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(path)
        if mode is not None:
            os.chmod(path, mode)
    except OSError:
        sock.close()
        raise
    return sock


async def remove_stale_socket(path: str) -> None:
    """Remove the socket that a killed server left behind; anything else at that path is somebody's.

    :raises OSError: a server listens there.
    """
    if not await asyncio.to_thread(is_socket, path):
        return
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except ConnectionRefusedError:
        await asyncio.to_thread(os.unlink, path)
        return
    writer.close()
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def is_socket(path: str) -> bool:
    return os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode)


def inode(path: str) -> int:
    return os.stat(path).st_ino


def remove_own_socket(path: str, number: int) -> None:
    """Remove it, unless another server has put its own in its place."""
    with suppress(FileNotFoundError):
        if inode(path) == number:
            os.unlink(path)
