"""The parser: the same bytes give the same events in any pieces, runs of audio included."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.audio import AudioChunk, AudioStop
from wyoming.event import Event

from irene_wyoming.errors import FrameTooLarge, LimitExceeded, ProtocolError, UnsupportedFormat
from irene_wyoming.wire.audio import AudioRun, audio_format, chunks, timestamp
from irene_wyoming.wire.framing import encode
from irene_wyoming.wire.limits import CLIENT_LIMITS, Room
from irene_wyoming.wire.parser import Parser, without_timestamp

FRAMES = 320
SIZE = 2 * FRAMES


def chunk(number: int, timestamp: int | None = None, rate: int = 16_000) -> Event:
    return AudioChunk(rate, 2, 1, bytes([number]) * SIZE, timestamp=timestamp).event()


def chunk_of(rate: object, channels: object, timestamp: object, size: int) -> Event:
    """An audio chunk whose fields may have any values."""
    return Event("audio-chunk", {"rate": rate, "width": 2, "channels": channels, "timestamp": timestamp}, bytes(size))


Plain = tuple[str, str, int | None, bytes]


def plain(event: Event) -> Plain:
    """An event's contents, equal for chunks of a run and chunks alone."""
    return event.type, without_timestamp(event.data), timestamp(event.data), event.payload or b""


def told(pieces: list[bytes], *, runs: bool) -> tuple[list[Plain], str]:
    """The events that a parser makes of these pieces, one by one, and the error at the end."""
    parser = Parser(CLIENT_LIMITS)
    found: list[Plain] = []
    try:
        for piece in pieces:
            parser.feed(piece)
            for event in iter(parser.run if runs else parser.event, None):
                start = 0
                for end, stamp in chunks(event):
                    part = (event.payload or b"")[start:end]
                    found.append((event.type, without_timestamp(event.data), stamp, part))
                    start = end
        parser.end()
    except ProtocolError as error:
        return found, str(error)
    return found, ""


def joined(*events: Event) -> bytes:
    return b"".join(event.payload or b"" for event in events)


def parsed(*parts: bytes) -> list[Event]:
    """All events of bytes that arrived together, as a server reads them."""
    parser = Parser(CLIENT_LIMITS)
    parser.feed(b"".join(parts))
    events = list(iter(parser.run, None))
    parser.end()
    return events


@pytest.mark.parametrize("every", [None, 20])
def test_chunks_that_came_together_are_one_event(every: int | None) -> None:
    sent = [chunk(number, None if every is None else 100 + number * every) for number in range(10)]
    events = parsed(*map(encode, sent))
    assert len(events) == 1
    assert isinstance(events[0], AudioRun)
    assert events[0].payload == joined(*sent)
    assert events[0].data == sent[0].data
    assert events[0].chunks == [((n + 1) * SIZE, one.data["timestamp"]) for n, one in enumerate(sent)]


def test_a_run_has_an_end() -> None:
    sent = [chunk(number) for number in range(100)]
    events = parsed(*map(encode, sent))
    assert joined(*events) == joined(*sent)
    assert max(len(event.payload or b"") for event in events) == 12 * SIZE  # 250 ms and no more
    assert len(events) < 15


def test_large_chunks_are_left_as_they_are() -> None:
    sent = [AudioChunk(16_000, 2, 1, bytes(5_000)).event() for _ in range(3)]
    assert parsed(*map(encode, sent)) == sent


def test_another_format_or_event_ends_a_run() -> None:
    sent = [
        [chunk(1), chunk(2)],
        [chunk(3, rate=48_000), chunk(4, rate=48_000)],
        [Event("ping", {"text": "here"})],
        [chunk(5), chunk(6)],
        [AudioStop().event()],
    ]
    events = parsed(*(encode(event) for group in sent for event in group))
    assert [event.type for event in events] == [group[0].type for group in sent]
    assert [event.payload or b"" for event in events] == [joined(*group) for group in sent]


@pytest.mark.parametrize(("field", "value"), [("rate", 16_001), ("channels", 2), ("width", 4)])
def test_a_chunk_of_another_format_is_not_taken_for_the_same(field: str, value: int) -> None:
    other = chunk(2)
    other.data[field] = value
    first = chunk(1)
    assert len(encode(other)) == len(encode(first))  # it has the same header
    assert parsed(encode(first), encode(other)) == [first, other]


def test_a_number_is_not_taken_for_another_kind_of_number() -> None:
    def sent(channels: str) -> bytes:
        data = f'{{"rate": 16000, "width": 2, "channels": {channels}}}'.encode()
        return b'{"type": "audio-chunk", "data_length": %d, "payload_length": 4}\n%b1234' % (len(data), data)

    first, second = parsed(sent("1  "), sent("1.0"))
    assert first.payload == b"1234"
    with pytest.raises(UnsupportedFormat, match=r"channels 1\.0"):
        audio_format(second.data)


def test_chunks_that_cut_a_frame_are_left_as_they_are() -> None:
    sent = [AudioChunk(16_000, 2, 1, b"123").event() for _ in range(4)]
    assert parsed(*map(encode, sent)) == sent


def test_chunks_without_audio_are_left_as_they_are() -> None:
    empty = b'{"type": "audio-chunk", "data_length": 0, "payload_length": 0}\n'
    inline = b'{"type": "audio-chunk", "data": {"rate": 16000, "width": 2, "channels": 1}, "payload_length": 2}\n12'
    assert len(parsed(empty, inline, *[empty] * 50)) == 52


def test_chunks_that_say_everything_in_their_header_are_read_one_by_one() -> None:
    line = b'{"type": "audio-chunk", "data": {"rate": 16000, "width": 2, "channels": 1}, "payload_length": 4}\n'
    events = parsed(line, b"1234", encode(chunk(1)), encode(chunk(2)), line, b"5678")
    assert [len(event.payload or b"") for event in events] == [4, 2 * SIZE, 4]


def test_a_chunk_that_is_not_all_here_is_waited_for() -> None:
    parser = Parser(CLIENT_LIMITS)
    whole, rest = encode(chunk(1)) + encode(chunk(2)), encode(chunk(3))
    for cut in (1, 40, len(rest) - 1):
        parser.feed(whole + rest[:cut])
        event = parser.run()
        assert event is not None
        assert event.payload == joined(chunk(1), chunk(2))
        assert parser.run() is None
        parser.feed(rest[cut:])
        assert parser.run() == chunk(3)


def test_what_is_damaged_behind_a_chunk_is_told_after_it() -> None:
    parser = Parser(CLIENT_LIMITS)
    damaged = encode(chunk(2)).replace(b'"rate"', b"'rate'")
    parser.feed(encode(chunk(1)) + damaged)
    assert parser.run() == chunk(1)
    with pytest.raises(ProtocolError, match="the data: not JSON"):
        parser.run()


def test_what_stops_in_the_midst_of_an_event_is_an_error() -> None:
    whole = encode(chunk(1))
    for cut in (1, whole.index(b"\n") + 1, len(whole) - 1):
        with pytest.raises(ProtocolError, match="in the midst of an event"):
            parsed(whole[:cut])


def test_a_conversation_has_an_end() -> None:
    parser = Parser(CLIENT_LIMITS, conversation_bytes=100)
    parser.feed(bytes(100))
    with pytest.raises(FrameTooLarge, match="more than 100 bytes came in one conversation"):
        parser.feed(b"1")


LARGE = 100_000


def test_large_payloads_share_a_room_until_they_are_worked_on() -> None:
    room = Room(3 * LARGE // 2)
    one, other = Parser(CLIENT_LIMITS, room), Parser(CLIENT_LIMITS, room)
    header = b'{"type": "x", "payload_length": %d}\n' % LARGE
    one.feed(header + bytes(LARGE))
    assert one.event() is not None  # its room is in use now
    other.feed(header)
    with pytest.raises(LimitExceeded, match="other clients' audio fills"):
        other.event()
    assert one.event() is None  # its room is given back
    late = Parser(CLIENT_LIMITS, room)
    late.feed(header)
    assert late.event() is None
    late.close()  # half-way: no room is lost
    one.feed(header + bytes(LARGE))
    assert one.event() is not None


AUDIO = st.builds(
    chunk_of,
    st.sampled_from([16_000, 48_000, "16000", None]),
    st.sampled_from([1, 2, 1.0]),
    st.none() | st.integers(-5, 10**6) | st.sampled_from([1.5, True, "7", 2**70]),
    st.sampled_from([0, 2, 3, 4, 640, 70_000]),
)
OTHER = st.builds(Event, st.text(min_size=1, max_size=64), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
DAMAGE = st.sampled_from([b"", b"", b"\n", b"{", b'{"type": 7}\n', b'{"type": "x", "data_length": 2}\n[]', b"\xff\n"])


@given(
    st.lists(AUDIO | OTHER | st.lists(AUDIO, min_size=2, max_size=12), max_size=8),
    DAMAGE,
    st.lists(st.integers(0, 2**20), max_size=12),
    st.booleans(),
)
def test_the_same_bytes_are_the_same_events_however_they_are_cut(
    groups: list[Event | list[Event]], damage: bytes, cuts: list[int], runs: bool
) -> None:
    events = [event for group in groups for event in (group if isinstance(group, list) else [group])]
    sent = b"".join(map(encode, events)) + damage
    places = [0, *sorted(cut % (len(sent) + 1) for cut in cuts), len(sent)]
    pieces = [sent[start:end] for start, end in pairwise(places)]
    whole = told([sent], runs=False)
    assert told(pieces, runs=runs) == whole
    assert whole[0][: len(events)] == [plain(event) for event in events]
