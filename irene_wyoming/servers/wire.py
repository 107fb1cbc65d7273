"""The border: Wyoming events in and out of a socket, with a bound on all that a peer can make us hold or wait for."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk
from wyoming.event import Event, Eventable

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.config.model import Limits
from irene_wyoming.errors import FrameTooLarge, LimitExceeded, ProtocolError
from irene_wyoming.servers.framing import Header, encode, parse_header, parse_object

MAX_NAME_CHARS = 128
"""Model, program and language names; they go into logs and error texts."""

SMALL_BYTES = 65_536
"""Payloads up to this size are not counted against the room of all: satellites send 320 to 2048."""

MAX_NAMES = 64
"""Wake words that one client may ask for at a time."""

READ_BYTES = 65_536
"""Taken from the socket at a time: many events at once from a client that sends faster than we listen."""

JOINED_S = 0.25
"""Chunks of up to so much audio are given as one event: an engine's turn."""


@dataclass
class AudioRun(Event):
    """Audio chunks of one format that had arrived together, as one chunk with the audio of all."""

    chunks: Sequence[tuple[int, int | None]] = ()
    """Where each ends in the payload, bytes, and its timestamp, as ``timestamp`` gives it."""


class Room:
    """What the large payloads of all clients of one server may take in memory together."""

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._held = 0

    def take(self, size: int) -> int:
        """Keep room for one payload; returns how many bytes to ``give`` back.

        :raises LimitExceeded: there is none; the client may try again.
        """
        counted = size if size > SMALL_BYTES else 0
        if self._held + counted > self._total:
            raise LimitExceeded(f"payload_length {size}: other clients' audio fills the {self._total} bytes for all")
        self._held += counted
        return counted

    def give(self, counted: int) -> None:
        self._held -= counted


class Wire:
    """Events of one connection. Reads are for one task; writes may come from several tasks of the same loop."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits, room: Room | None = None
    ) -> None:
        """:param room: shared by the connections of a server; None: this one shares with nobody."""
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._room = room or Room(limits.total_payload_bytes)
        self._taken = 0  # of the room, by the event that was read last: it is worked on until the next one is read
        self._received = bytearray()  # read, but not yet given as an event
        self._searched = 0  # bytes of it in which there is no end of a header line
        self._header: Header | None = None  # of the event that is arriving, once its line is here
        self._line: bytes | bytearray = b""  # the last one without data in it: most events of a stream begin alike
        self._same = Header("", {}, 0, 0)  # what it says
        self._rest: asyncio.Future[None] | None = None  # while nothing is read on purpose

    @property
    def buffered(self) -> bool:
        """Whether the next read may end without a pause for others."""
        return bool(self._received)

    async def read(self, idle_timeout_s: float | None = None) -> Event | None:
        """The next event; None when the peer has ended the connection between two events.

        ``idle_timeout_s`` bounds the wait for its first byte, None waits for ever.

        :raises ProtocolError: the peer sent something else than an event; the connection is of no use any more.
        :raises LimitExceeded: nothing came in time, or an event did not end in time.
        """
        self._give_back()
        if not self._received and not await self._first_bytes(idle_timeout_s):
            return None
        if (event := self._take()) is not None:  # as good as always: an event fits into a packet or two
            return event
        try:
            async with asyncio.timeout(self._limits.event_timeout_s):
                return await self._remainder()
        except TimeoutError:
            raise LimitExceeded(f"an event took longer than {self._limits.event_timeout_s:g} s to arrive") from None

    def joined(self, event: Event) -> Event:
        """The event that was read last; if it is an audio chunk of whole frames, together with those that are here
        already and differ from it only in their audio and timestamp. They cost a tenth of what they cost one by one.

        :raises UnsupportedFormat: of the chunk.
        """
        line, (event_type, _, data_length, payload_length) = self._line, self._same
        if not (event.payload and payload_length and event_type == event.type and AudioChunk.is_type(event_type)):
            return event
        form = audio_format(event.data)
        most = min(SMALL_BYTES, int(JOINED_S * form.rate) * form.frame_bytes)
        if len(event.payload) % form.frame_bytes or payload_length % form.frame_bytes:
            return event
        others, stamp, known = without_timestamp(event.data), timestamp(event.data), None
        pieces, end, at = [event.payload], len(event.payload), 0
        chunks = [(end, stamp)]
        while end + payload_length <= most and self._received.startswith(line, at):
            begin = at + len(line)
            audio = begin + data_length
            if audio + payload_length > len(self._received):
                break
            text = bytes(self._received[begin:audio])
            if text != known:
                try:
                    data = parse_object(text, "the data")
                except ProtocolError:
                    break  # is told when it is read by itself
                if without_timestamp(data) != others:
                    break
                known, stamp = text, timestamp(data)
            at = audio + payload_length
            end += payload_length
            pieces.append(bytes(self._received[audio:at]))
            chunks.append((end, stamp))
        if not at:
            return event
        del self._received[:at]
        return AudioRun(event_type, event.data, b"".join(pieces), chunks)

    async def rest(self, seconds: float) -> None:
        """Leave what arrives where it is for so long, or until ``hurry``: each time that a socket is read costs as much
        as ten events that are read together.
        """
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
        """End a ``rest``, if there is one."""
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)

    async def write(self, event: Event | Eventable) -> None:
        """Send one event and wait until the peer has room for more.

        :raises LimitExceeded: the peer has not read for ``write_timeout_s``.
        :raises ConnectionError: the peer is gone.
        """
        self._writer.write(encode(event if isinstance(event, Event) else event.event()))
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
                while await self._reader.read(65_536):
                    pass
        except (TimeoutError, OSError):
            pass

    async def close(self) -> None:
        """Close the socket. May be called more than once."""
        self._give_back()
        self._writer.close()
        try:
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self._writer.transport.abort()

    def _give_back(self) -> None:
        self._room.give(self._taken)
        self._taken = 0

    async def _first_bytes(self, timeout_s: float | None) -> bool:
        """Whether something came; False: the peer has ended the connection."""
        if timeout_s is None:
            self._received += await self._reader.read(READ_BYTES)
            return bool(self._received)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._first_bytes(None)
        except TimeoutError:
            raise LimitExceeded(f"nothing was sent for {timeout_s:g} s") from None

    async def _remainder(self) -> Event:
        """Read until the event is complete."""
        while True:
            more = await self._reader.read(READ_BYTES)
            if not more:
                raise ProtocolError("the connection ended in the midst of an event")
            self._received += more
            if (event := self._take()) is not None:
                return event

    def _take(self) -> Event | None:
        """The first event of what has been received, if all of it is here."""
        if self._header is None:
            self._header = self._take_header()
        if self._header is None:
            return None
        event_type, data, data_length, payload_length = self._header
        end = data_length + payload_length
        if len(self._received) < end:
            return None
        data = data | parse_object(self._received[:data_length], "the data") if data_length else dict(data)
        payload = bytes(self._received[data_length:end]) if payload_length else None
        del self._received[:end]
        self._header = None
        return Event(event_type, data, payload)

    def _take_header(self) -> Header | None:
        end = self._received.find(b"\n", self._searched) + 1
        if not end:
            self._searched = len(self._received)
        if (end or self._searched) > self._limits.header_bytes:
            raise FrameTooLarge(f"the header line is longer than {self._limits.header_bytes} bytes")
        if not end:
            return None
        line = self._received[:end]
        if line == self._line:
            header = self._same
        else:
            header = parse_header(line, self._limits)
            if not header.data:
                self._line, self._same = line, header
        self._taken = self._room.take(header.payload_length)
        del self._received[:end]
        self._searched = 0
        return header


def is_transcribe(event_type: str) -> bool:
    """A request for a transcript; hubs of older years misspell it."""
    return Transcribe.is_type(event_type) or event_type == "transcibe"


def audio_format(data: dict[str, Any]) -> AudioFormat:
    """The format fields of an audio event.

    :raises UnsupportedFormat: a field is missing, of the wrong type, or out of range.
    """
    fields = data.get("rate"), data.get("width"), data.get("channels")
    try:
        return _audio_format(*fields)
    except TypeError:  # a list, say: nothing that is the same as something else
        return AudioFormat(*fields)  # type: ignore[arg-type]  # it checks


@lru_cache(maxsize=256, typed=True)
def _audio_format(rate: Any, width: Any, channels: Any) -> AudioFormat:
    """Every chunk says it anew, and as a rule the same."""
    return AudioFormat(rate, width, channels)


def without_timestamp(data: dict[str, Any]) -> str:
    """What else the data say, as a text: in it 1 is neither 1.0 nor true."""
    return repr({key: value for key, value in data.items() if key != "timestamp"})


def timestamp(data: dict[str, Any]) -> int | None:
    """The timestamp of an audio event, as sent; None where there is none that can be echoed."""
    value = data.get("timestamp")
    return int(value) if isinstance(value, int | float) and type(value) is not bool and abs(value) < 2**63 else None


def chunks(event: Event) -> Sequence[tuple[int, int | None]]:
    """Those in an audio event, as ``AudioRun.chunks`` tells them; at least one."""
    return event.chunks if isinstance(event, AudioRun) else [(len(event.payload or b""), timestamp(event.data))]


def text(data: dict[str, Any], key: str) -> str | None:
    """An optional text that is sent back; anything else than text is taken for none."""
    value = data.get(key)
    return value if isinstance(value, str) else None


def name(data: dict[str, Any], key: str) -> str | None:
    """An optional name; null, absent and empty are the same.

    :raises ProtocolError: not a string, or too long.
    """
    value = data.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        raise ProtocolError(f"{key}: expected a string of at most {MAX_NAME_CHARS} characters")
    return value


def names(data: dict[str, Any], key: str) -> list[str]:
    """An optional list of names without repetitions; null, absent and empty are the same.

    :raises ProtocolError: not a list of strings, or too many, or one too long.
    """
    values = data.get(key)
    if values is None:
        return []
    if not isinstance(values, list) or len(values) > MAX_NAMES:
        raise ProtocolError(f"{key}: expected a list of at most {MAX_NAMES} names")
    if not all(isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARS for value in values):
        raise ProtocolError(f"{key}: expected strings of 1 to {MAX_NAME_CHARS} characters")
    return list(dict.fromkeys(values))
