"""Listening: the sockets of an address, and asyncio streams of accepted connections."""

import asyncio
import errno
import logging
import os
import socket
import ssl
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from irene_wyoming.wire.address import Address, reason

log = logging.getLogger(__name__)

BACKLOG = 128
"""Connections that the kernel queues until we accept them."""

ACCEPTED_AT_ONCE = 32
"""Connections accepted at once before other tasks have their turn on the loop."""

OUT_OF = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of accept that pass once other files are closed."""

PAUSE_S = 1.0
"""Seconds without accepting after such an error; new connections wait in the kernel."""

HELD_BYTES = 4096
"""Limit of asyncio's buffer, which stops reading at twice this: a quarter of a second of speech. Live clients are never
so far ahead. Audio of faster ones waits in the kernel and is read many events at a time.
"""

SHUTDOWN_S = 1.0
"""Seconds for the other side to agree to the end of TLS."""

Accepted = Callable[[socket.socket, str], None]
"""Takes an accepted non-blocking socket and the other side's address, empty for a unix socket."""


class Listener:
    """The listening sockets of one address, from ``start`` to ``close``."""

    def __init__(self, address: Address, accepted: Accepted, at_once: int = ACCEPTED_AT_ONCE) -> None:
        """:param at_once: most connections accepted in one go."""
        self.address = address
        """The address; after ``start`` with the port that was really taken."""
        self._accepted = accepted
        self._at_once = min(at_once, ACCEPTED_AT_ONCE)
        self._sockets: list[socket.socket] = []
        self._inode = 0  # inode of our unix socket: another server may have put its own in its place
        self._pauses: dict[socket.socket, asyncio.TimerHandle] = {}

    async def start(self, socket_mode: int | None) -> None:
        """Begin to listen.

        :param socket_mode: permissions of a unix socket; None: the system's default.

        :raises OSError: the address cannot be used.
        """
        path = self.address.path
        if path:
            await remove_stale_socket(path)
            self._sockets = [await asyncio.to_thread(bound_to_path, path, socket_mode)]
            self._inode = await asyncio.to_thread(inode, path)
        else:
            self._sockets = await asyncio.to_thread(bound, self.address)
            self.address = replace(self.address, port=self._sockets[0].getsockname()[1])
        for sock in self._sockets:
            self._listen(sock)

    async def close(self) -> None:
        """Stop listening. May be called more than once."""
        loop = asyncio.get_running_loop()
        sockets, self._sockets = self._sockets, []
        for sock in sockets:
            if sock in self._pauses:
                self._pauses.pop(sock).cancel()
            loop.remove_reader(sock)
            sock.close()
        if sockets and self.address.path:
            await asyncio.to_thread(remove_own_socket, self.address.path, self._inode)

    def _listen(self, sock: socket.socket) -> None:
        self._pauses.pop(sock, None)
        asyncio.get_running_loop().add_reader(sock, self._accept, sock)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(self._at_once):
            try:
                sock, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in OUT_OF:
                    self._pause(listening, error)
                else:
                    log.warning("%s: a connection could not be accepted: %s", self.address.uri, reason(error))
                return
            sock.setblocking(False)
            self._accepted(sock, host_of(peer))

    def _pause(self, sock: socket.socket, error: OSError) -> None:
        log.error("%s: no connection is accepted for %g s: %s", self.address.uri, PAUSE_S, reason(error))
        loop = asyncio.get_running_loop()
        loop.remove_reader(sock)
        self._pauses[sock] = loop.call_later(PAUSE_S, self._listen, sock)


async def streams(
    sock: socket.socket, context: ssl.SSLContext | None, handshake_s: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Make asyncio's streams of an accepted socket, with TLS where there is a context.

    :raises OSError: the handshake fails, or takes longer than ``handshake_s``; the socket is closed.
    """
    if context is not None:
        async with asyncio.timeout(handshake_s):
            await readable(sock)  # asyncio's TLS takes 0.3 MB from its start, which silent clients must not cost
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=HELD_BYTES, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    times = {"ssl_handshake_timeout": handshake_s, "ssl_shutdown_timeout": SHUTDOWN_S} if context else {}
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=context, **times)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def exactly(sock: socket.socket, count: int) -> bytes:
    """Read exactly ``count`` bytes of an accepted socket before streams are made of it.

    :raises ConnectionResetError: the other side has ended earlier.
    """
    loop, taken = asyncio.get_running_loop(), b""
    while len(taken) < count:
        piece = await loop.sock_recv(sock, count - len(taken))
        if not piece:
            raise ConnectionResetError("ended within its first bytes")
        taken += piece
    return taken


async def readable(sock: socket.socket) -> None:
    """Wait until bytes have come, or the other side has left."""
    loop = asyncio.get_running_loop()
    come = asyncio.Event()
    loop.add_reader(sock, come.set)
    try:
        await come.wait()
    finally:
        loop.remove_reader(sock)


def host_of(peer: object) -> str:
    """The address of the other side as ``accept`` gives it; empty for a unix socket.

    IPv4 addresses in IPv6 form become plain, so that networks and limits match them.
    """
    if not isinstance(peer, tuple):
        return ""
    host = str(peer[0])
    return host.removeprefix("::ffff:") if "." in host else host


def bound(address: Address) -> list[socket.socket]:
    """Make listening sockets for all addresses of the host; ``::`` includes IPv4. Name look-ups block.

    :raises OSError: one of the addresses cannot be used.
    """
    if address.host == "::" and socket.has_dualstack_ipv6():
        sock = socket.create_server(("::", address.port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
        sock.setblocking(False)
        return [sock]
    found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    port = address.port
    try:
        for family, _, _, _, where in dict.fromkeys(found):
            sock = socket.create_server((where[0], port, *where[2:]), family=family, backlog=BACKLOG)
            sock.setblocking(False)
            sockets.append(sock)
            port = sock.getsockname()[1]  # the same port for all, where any is allowed
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def bound_to_path(path: str, mode: int | None) -> socket.socket:
    """Make a listening unix socket whose permissions are set before anybody can connect."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        sock.bind(path)
        if mode is not None:
            os.chmod(path, mode)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def keep_alive(sock: socket.socket) -> None:
    """Let the kernel notice a satellite that lost its power: a wake stream may otherwise be silent for ever."""
    if sock.family == socket.AF_UNIX:
        return
    with suppress(OSError):  # the client has just gone
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


async def remove_stale_socket(path: str) -> None:
    """Remove the socket that a killed server left behind, and nothing else at that path.

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
    """Remove our socket, unless another server has put its own in its place."""
    with suppress(FileNotFoundError):
        if inode(path) == number:
            os.unlink(path)
