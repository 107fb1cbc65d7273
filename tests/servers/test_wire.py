"""Audio chunks that have arrived together are read as one; nothing of them is lost, and nothing else is touched."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from wyoming.audio import AudioChunk, AudioStop
from wyoming.event import Event

from irene_wyoming.errors import ProtocolError, UnsupportedFormat
from irene_wyoming.servers.client import CLIENT_LIMITS
from irene_wyoming.servers.framing import encode
from irene_wyoming.servers.wire import AudioRun, Wire

FRAMES = 320
SIZE = 2 * FRAMES


def chunk(number: int, timestamp: int | None = None, rate: int = 16_000) -> Event:
    return AudioChunk(rate, 2, 1, bytes([number]) * SIZE, timestamp=timestamp).event()


def joined(*events: Event) -> bytes:
    return b"".join(event.payload or b"" for event in events)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Wire, asyncio.StreamWriter]]:
    """A wire, and who writes to it."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    _, other = await asyncio.open_connection(sock=theirs)
    wire = Wire(reader, writer, CLIENT_LIMITS)
    yield wire, other
    await wire.close()
    other.close()
    await other.wait_closed()


Pair = tuple[Wire, asyncio.StreamWriter]


async def read(pair: Pair, *parts: bytes) -> list[Event]:
    """All events of what is written in one go, as a server reads them."""
    wire, writer = pair
    writer.write(b"".join(parts))
    writer.write_eof()
    events = []
    while (event := await wire.read()) is not None:
        events.append(wire.joined(event))
    return events


@pytest.mark.parametrize("every", [None, 20])
async def test_chunks_that_came_together_are_one_event(pair: Pair, every: int | None) -> None:
    sent = [chunk(number, None if every is None else 100 + number * every) for number in range(10)]
    events = await read(pair, *map(encode, sent))
    assert len(events) == 1
    assert isinstance(events[0], AudioRun)
    assert events[0].payload == joined(*sent)
    assert events[0].data == sent[0].data
    assert events[0].chunks == [((n + 1) * SIZE, one.data["timestamp"]) for n, one in enumerate(sent)]


async def test_a_run_has_an_end(pair: Pair) -> None:
    sent = [chunk(number) for number in range(100)]
    events = await read(pair, *map(encode, sent))
    assert joined(*events) == joined(*sent)
    assert max(len(event.payload or b"") for event in events) == 12 * SIZE  # 250 ms and no more
    assert len(events) < 15


async def test_large_chunks_are_left_as_they_are(pair: Pair) -> None:
    sent = [AudioChunk(16_000, 2, 1, bytes(5_000)).event() for _ in range(3)]
    assert await read(pair, *map(encode, sent)) == sent


async def test_another_format_or_event_ends_a_run(pair: Pair) -> None:
    sent = [
        [chunk(1), chunk(2)],
        [chunk(3, rate=48_000), chunk(4, rate=48_000)],
        [Event("ping", {"text": "here"})],
        [chunk(5), chunk(6)],
        [AudioStop().event()],
    ]
    events = await read(pair, *(encode(event) for group in sent for event in group))
    assert [event.type for event in events] == [group[0].type for group in sent]
    assert [event.payload or b"" for event in events] == [joined(*group) for group in sent]


@pytest.mark.parametrize(("field", "value"), [("rate", 16_001), ("channels", 2), ("width", 4)])
async def test_a_chunk_of_another_format_is_not_taken_for_the_same(pair: Pair, field: str, value: int) -> None:
    other = chunk(2)
    other.data[field] = value
    first = chunk(1)
    assert len(encode(other)) == len(encode(first))  # it has the same header
    assert await read(pair, encode(first), encode(other)) == [first, other]


async def test_a_number_is_not_taken_for_another_kind_of_number(pair: Pair) -> None:
    def sent(channels: str) -> bytes:
        data = f'{{"rate": 16000, "width": 2, "channels": {channels}}}'.encode()
        return b'{"type": "audio-chunk", "data_length": %d, "payload_length": 4}\n%b1234' % (len(data), data)

    wire, writer = pair
    writer.write(sent("1  ") + sent("1.0"))
    event = await wire.read()
    assert event is not None
    assert wire.joined(event).payload == b"1234"
    event = await wire.read()
    assert event is not None
    with pytest.raises(UnsupportedFormat, match=r"channels 1\.0"):
        wire.joined(event)


async def test_chunks_that_cut_a_frame_are_left_as_they_are(pair: Pair) -> None:
    sent = [AudioChunk(16_000, 2, 1, b"123").event() for _ in range(4)]
    assert await read(pair, *map(encode, sent)) == sent


async def test_chunks_without_audio_are_left_as_they_are(pair: Pair) -> None:
    empty = b'{"type": "audio-chunk", "data_length": 0, "payload_length": 0}\n'
    inline = b'{"type": "audio-chunk", "data": {"rate": 16000, "width": 2, "channels": 1}, "payload_length": 2}\n12'
    assert len(await read(pair, empty, inline, *[empty] * 50)) == 52


async def test_chunks_that_say_everything_in_their_header_are_read_one_by_one(pair: Pair) -> None:
    line = b'{"type": "audio-chunk", "data": {"rate": 16000, "width": 2, "channels": 1}, "payload_length": 4}\n'
    events = await read(pair, line, b"1234", encode(chunk(1)), encode(chunk(2)), line, b"5678")
    assert [len(event.payload or b"") for event in events] == [4, 2 * SIZE, 4]


async def test_a_chunk_that_is_not_all_here_is_waited_for(pair: Pair) -> None:
    wire, writer = pair
    whole, rest = encode(chunk(1)) + encode(chunk(2)), encode(chunk(3))
    for cut in (1, 40, len(rest) - 1):
        writer.write(whole + rest[:cut])
        event = await wire.read()
        assert event is not None
        assert wire.joined(event).payload == joined(chunk(1), chunk(2))
        writer.write(rest[cut:])
        assert await wire.read() == chunk(3)


async def test_what_is_damaged_behind_a_chunk_is_told_after_it(pair: Pair) -> None:
    wire, writer = pair
    damaged = encode(chunk(2)).replace(b'"rate"', b"'rate'")
    writer.write(encode(chunk(1)) + damaged)
    event = await wire.read()
    assert event is not None
    assert wire.joined(event) == chunk(1)
    with pytest.raises(ProtocolError, match="the data: not JSON"):
        await wire.read()
