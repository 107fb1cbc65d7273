"""A connection: the parser fed from a socket, with a bound on every wait."""

import asyncio
import socket
import sys
from asyncio.trsock import TransportSocket
from contextlib import suppress
from functools import cached_property

from wyoming.event import Event as Event  # engines take it from here: the package is the border's business
from wyoming.event import Eventable

from irene_wyoming.errors import LimitExceeded
from irene_wyoming.wire.framing import encode
from irene_wyoming.wire.limits import Limits, Room
from irene_wyoming.wire.parser import Parser

READ_BYTES = 65_536
"""Taken from the socket at a time: many events at once from a client that sends faster than we listen."""


class Connection:
    """Events of one peer. Reads are for one task; writes may come from several tasks of the same loop."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits,
        room: Room | None = None,
        conversation_bytes: int | None = None,
    ) -> None:
        """:param room, conversation_bytes: as ``Parser`` takes them."""
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._parser = Parser(limits, room, conversation_bytes)
        self._rest: asyncio.Future[None] | None = None  # while nothing is read on purpose
        self._expected = 1  # bytes at which it wakes us
        self._overdue: asyncio.TimerHandle | None = None  # ends the waiting for more than one

    @property
    def buffered(self) -> bool:
        """Whether the next read may end without a pause for others."""
        return self._parser.waiting

    async def read(self, idle_timeout_s: float | None = None, *, runs: bool = False) -> Event | None:
        """The next event; None when the peer has ended the connection between two events.

        :param idle_timeout_s: bounds the wait for the event's first byte; None waits for ever.
        :param runs: audio chunks that are here already may come as one ``AudioRun``.
        :raises ProtocolError: the peer sent something else than an event; the connection is of no use any more.
        :raises LimitExceeded: nothing came in time, or an event did not end in time.
        """
        take = self._parser.run if runs else self._parser.event
        event = take()
        if event is None and not self._parser.waiting:
            if not await self._first_bytes(idle_timeout_s):
                return None
            event = take()
        if event is not None:  # as good as always: an event fits into a packet or two
            return event
        try:
            async with asyncio.timeout(self._limits.event_timeout_s):
                while (event := take()) is None:
                    await self._more()
        except TimeoutError:
            raise LimitExceeded(f"an event took longer than {self._limits.event_timeout_s:g} s to arrive") from None
        return event

    def take_more(self, limits: Limits) -> None:
        """Hold to other limits from the next event on."""
        self._limits = self._parser.limits = limits

    @property
    def taken_bytes(self) -> int:
        """Bytes of all events that were given so far."""
        return self._parser.taken_bytes

    @property
    def counts_bytes(self) -> bool:
        """Whether ``expect`` can be used: on TCP without TLS, where the system is Linux."""
        return self._counting is not None

    @cached_property
    def _counting(self) -> TransportSocket | None:
        """Whose bytes the kernel counts for us; None: it cannot."""
        return countable(self._writer)

    def expect(self, count: int, seconds: float) -> None:
        """Have reads wait until so many bytes are here, for so long, or until ``hurry``. The end of the connection is
        seen at once. A wake-up of the loop costs as much as ten events that are read together.
        """
        assert self._counting is not None
        if self._overdue is not None:
            self._overdue.cancel()
        self._overdue = asyncio.get_running_loop().call_later(seconds, self.hurry)
        self._wake_at(count)

    async def rest(self, seconds: float) -> None:
        """Leave what arrives where it is for so long, or until ``hurry``; for where ``expect`` cannot be used."""
        loop = asyncio.get_running_loop()
        self._rest = loop.create_future()
        timer = loop.call_later(seconds, self.hurry)
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)  # of a stream, which can be read
        transport.pause_reading()
        try:
            await self._rest
        finally:
            timer.cancel()
            self._rest = None
            transport.resume_reading()

    def hurry(self) -> None:
        """End a ``rest``, or what ``expect`` has asked for, if there is one."""
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
            self._wake_at(1)
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)

    async def write(self, event: Event | Eventable) -> None:
        """Send one event and wait until the peer has room for more.

        :raises LimitExceeded: the peer has not read for ``write_timeout_s``.
        :raises ConnectionError: the peer is gone.
        """
        await self.write_encoded(encode(event if isinstance(event, Event) else event.event()))

    async def write_encoded(self, encoded: bytes) -> None:
        """As ``write``, of an event that is bytes already."""
        self._writer.write(encoded)
        transport = self._writer.transport
        if not transport.get_write_buffer_size() and not transport.is_closing():
            return  # the kernel has taken all of it: a timer would cost a third of the sending
        try:
            async with asyncio.timeout(self._limits.write_timeout_s):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise LimitExceeded(f"the peer has not read for {self._limits.write_timeout_s:g} s") from None

    async def end(self) -> None:
        """Say that nothing more will be sent; what the peer sends can still be read."""
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def finish(self, patience_s: float) -> None:
        """End our side and wait a while for the peer to end its own.

        A socket closed with unread input resets the connection, and the peer then loses what was sent last.
        """
        try:
            await self.end()
            async with asyncio.timeout(patience_s):
                while await self._reader.read(READ_BYTES):
                    pass
        except (TimeoutError, OSError):
            pass

    async def close(self) -> None:
        """Close the socket. May be called more than once."""
        self.hurry()
        self._parser.close()
        self._writer.close()
        try:
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self._writer.transport.abort()

    def _wake_at(self, count: int) -> None:
        if self._counting is not None and count != self._expected:
            self._expected = count
            with suppress(OSError):  # it has been closed
                self._counting.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)

    async def _first_bytes(self, timeout_s: float | None) -> bool:
        """Whether something came; False: the peer has ended the connection."""
        if timeout_s is None:
            received = await self._reader.read(READ_BYTES)
            self._parser.feed(received)
            return bool(received)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._first_bytes(None)
        except TimeoutError:
            raise LimitExceeded(f"nothing was sent for {timeout_s:g} s") from None

    async def _more(self) -> None:
        """Read some bytes of an event that has begun to arrive."""
        received = await self._reader.read(READ_BYTES)
        if not received:
            self._parser.end()
        self._parser.feed(received)


def countable(writer: asyncio.StreamWriter) -> TransportSocket | None:
    """The socket of a connection, where the kernel can wake us at a certain byte of what comes.

    Linux does for TCP (SO_RCVLOWAT), also in epoll. It does not for unix sockets, and of TLS the bytes say nothing.
    """
    sock = writer.get_extra_info("socket")
    if sys.platform != "linux" or sock is None or writer.get_extra_info("sslcontext") is not None:
        return None
    return sock if sock.family in (socket.AF_INET, socket.AF_INET6) else None
