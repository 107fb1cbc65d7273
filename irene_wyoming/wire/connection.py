"""A connection: the parser fed from a socket, with a bound on every wait."""

import asyncio
import socket
import sys
from asyncio.trsock import TransportSocket
from contextlib import suppress
from fcntl import ioctl
from functools import cached_property
from termios import FIONREAD

from wyoming.event import Event as Event  # engines import it from here: only wire/ knows the wyoming package
from wyoming.event import Eventable

from irene_wyoming.errors import LimitExceeded
from irene_wyoming.wire.framing import encode
from irene_wyoming.wire.limits import Limits, Room
from irene_wyoming.wire.parser import Parser

READ_BYTES = 65_536
"""Most bytes taken from the socket at a time: many events at once from a fast client."""


LOOK_S = 0.2
"""Seconds between two looks at a peer that is waited for. Shorter waits need no look."""


class Connection:
    """The connection to one peer, as events. One task reads; several tasks of the same loop may write."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits,
        room: Room | None = None,
        conversation_bytes: int | None = None,
    ) -> None:
        """:param room, conversation_bytes: passed on to ``Parser``."""
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._parser = Parser(limits, room, conversation_bytes)
        self.at_leisure = False
        """Set by who serves it while the peer has only asked for the Info or a pong."""
        self._rest: asyncio.Future[None] | None = None  # pending while nothing is read on purpose
        self._expected = 1  # number of bytes that wakes us
        self._overdue: asyncio.TimerHandle | None = None  # timer that ends the wait for more than one byte

    @property
    def buffered(self) -> bool:
        """Whether events may be at hand, so that the next read may return without yielding to other tasks."""
        return self._parser.waiting

    async def read(self, idle_timeout_s: float | None = None, *, runs: bool = False) -> Event | None:
        """The next event; None when the peer has ended the connection between two events.

        :param idle_timeout_s: bounds the wait for the event's first byte; None waits for ever.
        :param runs: audio chunks that are here already may come as one ``AudioRun``.
        :raises ProtocolError: the peer sent something else than an event; the connection cannot be used any more.
        :raises LimitExceeded: nothing came in time, or an event did not end in time.
        """
        take = self._parser.run if runs else self._parser.event
        event = take()
        if event is None and not self._parser.waiting:
            if not await self._first_bytes(idle_timeout_s):
                return None
            event = take()
        if event is not None:  # nearly always: an event fits into a packet or two
            return event
        try:
            async with asyncio.timeout(self._limits.event_timeout_s):
                while (event := take()) is None:
                    await self._more()
        except TimeoutError:
            raise LimitExceeded(f"an event took longer than {self._limits.event_timeout_s:g} s to arrive") from None
        return event

    def take_more(self, limits: Limits) -> None:
        """Apply other limits from the next event on."""
        self._limits = self._parser.limits = limits

    @property
    def only_asks(self) -> bool:
        """Whether the peer has said nothing so far, or nothing but pings and questions for the Info."""
        return not self.taken_bytes or self.at_leisure

    @property
    def taken_bytes(self) -> int:
        """Total bytes of all events that were read."""
        return self._parser.taken_bytes

    @property
    def waiting_bytes(self) -> int:
        """Bytes that have come and are still in the kernel; only where ``counts_bytes``."""
        assert self._counting is not None
        with suppress(OSError, ValueError):  # the socket has been closed: reading will tell
            return int.from_bytes(ioctl(self._counting.fileno(), FIONREAD, bytes(4)), sys.byteorder)
        return 0

    @property
    def counts_bytes(self) -> bool:
        """Whether ``expect`` can be used: on TCP without TLS, on Linux."""
        return self._counting is not None

    @cached_property
    def _counting(self) -> TransportSocket | None:
        """The socket whose bytes the kernel counts for us; None: it cannot."""
        return countable(self._writer)

    def expect(self, count: int, seconds: float) -> None:
        """Let reads wait until ``count`` bytes are here, at most ``seconds``, or until ``hurry``. The end of the
        connection is seen at once. A wake-up of the loop costs as much as ten events.

        Bytes at less than half the pace mean that the peer has stopped sending. Then reads wait no longer, since a
        question may come next.
        """
        if self._overdue is not None:
            self._overdue.cancel()
        now = asyncio.get_running_loop().time()
        self._look_again(now, now, now + seconds, count)
        self._wake_at(count)

    async def rest(self, seconds: float) -> None:
        """Leave arriving bytes unread for ``seconds``, or until ``hurry``. Use it where ``expect`` cannot be used."""
        loop = asyncio.get_running_loop()
        self._rest = loop.create_future()
        timer = loop.call_later(seconds, self.hurry)
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)  # the transport of a stream, which can be read
        transport.pause_reading()
        try:
            await self._rest
        finally:
            timer.cancel()
            self._rest = None
            transport.resume_reading()

    def hurry(self) -> None:
        """End a ``rest`` or the wait set by ``expect``, if there is one."""
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
        """Send an event that is encoded already, like ``write``."""
        self._writer.write(encoded)
        transport = self._writer.transport
        if not transport.get_write_buffer_size() and not transport.is_closing():
            return  # the kernel has taken all of it: a timer would add a third to the cost of sending
        try:
            async with asyncio.timeout(self._limits.write_timeout_s):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise LimitExceeded(f"the peer has not read for {self._limits.write_timeout_s:g} s") from None

    async def end(self) -> None:
        """Tell the peer that nothing more will be sent; what it sends can still be read."""
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def finish(self, patience_s: float) -> None:
        """End our side and wait at most ``patience_s`` for the peer to end its own.

        A socket closed with unread input resets the connection, and the peer then loses the last events.
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

    def _look_again(self, now: float, began: float, over: float, count: int) -> None:
        """End a wait when it is over, and check now and then whether the peer still sends.

        :param now, began, over: times of the loop's clock.
        """
        loop = asyncio.get_running_loop()
        if over - now <= LOOK_S:
            self._overdue = loop.call_at(over, self.hurry)
        else:
            self._overdue = loop.call_at(now + LOOK_S, self._look, began, over, count)

    def _look(self, began: float, over: float, count: int) -> None:
        now = asyncio.get_running_loop().time()
        if self.waiting_bytes < count * (now - began) / (over - began) / 2:
            self.hurry()
        else:
            self._look_again(now, began, over, count)

    def _wake_at(self, count: int) -> None:
        if self._counting is not None and count != self._expected:
            self._expected = count
            with suppress(OSError):  # the socket is closed already
                self._counting.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)

    async def _first_bytes(self, timeout_s: float | None) -> bool:
        """Wait for the first bytes of an event; False: the peer has ended the connection."""
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
        """Read more bytes of an event that has begun to arrive."""
        received = await self._reader.read(READ_BYTES)
        if not received:
            self._parser.end()
        self._parser.feed(received)


def countable(writer: asyncio.StreamWriter) -> TransportSocket | None:
    """The socket of a connection, where the kernel can wake us after a number of bytes; None elsewhere.

    Linux does for TCP (SO_RCVLOWAT), also in epoll. It does not for unix sockets, and TLS hides the bytes of events.
    """
    sock = writer.get_extra_info("socket")
    if sys.platform != "linux" or sock is None or writer.get_extra_info("sslcontext") is not None:
        return None
    return sock if sock.family in (socket.AF_INET, socket.AF_INET6) else None
