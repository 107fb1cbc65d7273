"""The parser: bytes in, events out, with a bound on everything that it holds. It has no socket and no clock."""

from typing import Any

from wyoming.event import Event

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.errors import FrameTooLarge, ProtocolError, UnsupportedFormat
from irene_wyoming.wire.audio import AudioRun, audio_format, is_audio, timestamp
from irene_wyoming.wire.framing import Header, parse_header, parse_object
from irene_wyoming.wire.limits import SMALL_BYTES, Limits, Room

JOINED_S = 0.25
"""Seconds of audio up to which chunks are joined into one event. An engine takes about so much at a time."""


class Parser:
    """Parses the events of one connection, however its bytes are cut.

    After an error the bytes that follow mean nothing, and the parser must not be used again.
    """

    def __init__(self, limits: Limits, room: Room | None = None, conversation_bytes: int | None = None) -> None:
        """:param room: shared by the connections of a server; None: this one shares with nobody.
        :param conversation_bytes: most bytes taken in all; None: no limit.
        """
        self.limits = limits
        """The limits for events whose header has not come yet."""
        self._room = room or Room(limits.total_payload_bytes)
        self._left = conversation_bytes
        self._most = conversation_bytes
        self._received = bytearray()  # bytes not yet given as an event
        self.taken_bytes = 0
        """Total bytes of all events given so far."""
        self._searched = 0  # length of their start that holds no end of a header line
        self._header: Header | None = None  # header of the arriving event, once its line is complete
        self._line: bytes | bytearray = b""  # the last line without data in it: most events of a stream begin alike
        self._same = Header("", {}, 0, 0)  # header parsed from that line
        self._arriving = 0  # bytes of the room reserved for the arriving event
        self._given = 0  # bytes of the room held by the last event, until its reader asks for the next

    @property
    def waiting(self) -> bool:
        """Whether there are bytes that were not given as an event yet."""
        return bool(self._received) or self._header is not None

    def feed(self, received: bytes) -> None:
        """Add received bytes.

        :raises FrameTooLarge: the conversation exceeds ``conversation_bytes``.
        """
        if self._left is not None:
            self._left -= len(received)
            if self._left < 0:
                raise FrameTooLarge(f"more than {self._most} bytes came in one conversation")
        self._received += received

    def event(self) -> Event | None:
        """Give the next event; None: it needs more bytes. The room of the event before is given back.

        :raises ProtocolError: the bytes are no event, or announce more than the limits allow.
        """
        self._release()
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
        self.taken_bytes += end
        self._header = None
        self._given, self._arriving = self._arriving, 0
        return Event(event_type, data, payload)

    def run(self) -> Event | None:
        """Give the next event; chunks at hand that differ in audio and timestamp only come as one ``AudioRun``. They
        cost a tenth of what they cost one by one.
        """
        event = self.event()
        if event is None or not event.payload or not is_audio(event.type):
            return event
        if not self._same.payload_length or self._same.type != event.type or not self._received.startswith(self._line):
            return event  # the next event is no chunk of the same format
        try:
            form = audio_format(event.data)
        except UnsupportedFormat:
            return event  # the reader of the event reports its bad format
        if len(event.payload) % form.frame_bytes or self._same.payload_length % form.frame_bytes:
            return event
        return self._joined(event, event.payload, form)

    def end(self) -> None:
        """Take note that the peer sends nothing more.

        :raises ProtocolError: it stopped within an event.
        """
        if self.waiting:
            raise ProtocolError("the connection ended in the midst of an event")

    def close(self) -> None:
        """Give all reserved room back. May be called more than once."""
        self._release()
        self._room.give(self._arriving)
        self._arriving = 0

    def _release(self) -> None:
        self._room.give(self._given)
        self._given = 0

    def _joined(self, event: Event, first: bytes, form: AudioFormat) -> Event:
        """Join an event with the chunks behind it that have the same header line and format."""
        line, (_, _, data_length, payload_length) = self._line, self._same
        most = min(SMALL_BYTES, int(JOINED_S * form.rate) * form.frame_bytes)
        others, stamp, known = without_timestamp(event.data), timestamp(event.data), None
        pieces, end, at = [first], len(first), 0
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
                    break  # a malformed event is reported when it is read by itself
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
        self.taken_bytes += at
        return AudioRun(event.type, event.data, b"".join(pieces), chunks)

    def _take_header(self) -> Header | None:
        end = self._received.find(b"\n", self._searched) + 1
        if not end:
            self._searched = len(self._received)
        if (end or self._searched) > self.limits.header_bytes:
            raise FrameTooLarge(f"the header line is longer than {self.limits.header_bytes} bytes")
        if not end:
            return None
        line = self._received[:end]
        if line == self._line:
            header = self._same
        else:
            header = parse_header(line, self.limits)
            if not header.data:
                self._line, self._same = line, header
        self._arriving = self._room.take(header.payload_length)
        del self._received[:end]
        self.taken_bytes += end
        self._searched = 0
        return header


def without_timestamp(data: dict[str, Any]) -> str:
    """The fields besides the timestamp as a text, in which 1, 1.0 and true differ."""
    return repr({key: value for key, value in data.items() if key != "timestamp"})
