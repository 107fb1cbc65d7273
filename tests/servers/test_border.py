"""Bytes of hostile or broken clients give an error event or a clean close, never a traceback."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.descriptors import CROWD
from irene_wyoming.servers.service import Service
from tests.conftest import until

WAIT_S = 60

FORMAT = {"rate": 16_000, "width": 2, "channels": 1, "timestamp": None}


def event(header: dict[str, object], data: bytes = b"", payload: bytes = b"") -> bytes:
    return json.dumps(header).encode() + b"\n" + data + payload


def nested(depth: int) -> dict[str, object]:
    """Objects nested in one another."""
    data: dict[str, object] = {}
    for _ in range(depth - 1):
        data = {"x": data}
    return data


def block(data: dict[str, object]) -> bytes:
    """An event with its data behind the header."""
    encoded = json.dumps(data).encode()
    return event({"type": "ping", "data_length": len(encoded)}, encoded)


def chunk(payload: bytes = b"\0\0", **fields: object) -> bytes:
    data = FORMAT | fields
    return event({"type": "audio-chunk", "data": data, "payload_length": len(payload)}, payload=payload)


BAD = {
    "an empty line": (b"\n", "protocol-error"),
    "not JSON": (b"GET / HTTP/1.1\r\nHost: irene\r\n\r\n", "protocol-error"),
    "not UTF-8": (b"\xff\xfe\xfd\n", "protocol-error"),
    "a list": (b"[]\n", "protocol-error"),
    "a number": (b"17\n", "protocol-error"),
    "null": (b"null\n", "protocol-error"),
    "nested too deep": (b"[" * 60_000 + b"\n", "protocol-error"),
    "a number of 10,000 digits": (b'{"type": "ping", "data": ' + b"9" * 10_000 + b"}\n", "protocol-error"),
    "no type": (event({"data": {}}), "protocol-error"),
    "a type that is a number": (event({"type": 5}), "protocol-error"),
    "an empty type": (event({"type": ""}), "protocol-error"),
    "a type of 10,000 characters": (event({"type": "x" * 10_000}), "protocol-error"),
    "data that is a list": (event({"type": "ping", "data": []}), "protocol-error"),
    "data that is a string": (event({"type": "ping", "data": "x"}), "protocol-error"),
    "a negative data length": (event({"type": "ping", "data_length": -1}), "protocol-error"),
    "a data length that is a string": (event({"type": "ping", "data_length": "5"}), "protocol-error"),
    "a data length that is true": (event({"type": "ping", "data_length": True}), "protocol-error"),
    "a data length with a fraction": (event({"type": "ping", "data_length": 1.5}), "protocol-error"),
    "a data length of 10 GB": (event({"type": "ping", "data_length": 10**10}), "frame-too-large"),
    "a payload length of 10 GB": (event({"type": "ping", "payload_length": 10**10}), "frame-too-large"),
    "a payload length of 1e12": (event({"type": "ping", "payload_length": 1e12}), "protocol-error"),
    "a negative payload length": (event({"type": "ping", "payload_length": -5}), "protocol-error"),
    "data that is no JSON": (event({"type": "ping", "data_length": 3}, b"abc"), "protocol-error"),
    "data that is no object": (event({"type": "ping", "data_length": 2}, b"[]"), "protocol-error"),
    "a header without end": (b"x" * 200_000, "frame-too-large"),
    "an event cut in its header": (b'{"type": "pi', "protocol-error"),
    "an event cut in its data": (event({"type": "ping", "data_length": 100}, b"{"), "protocol-error"),
    "an event cut in its payload": (event({"type": "ping", "payload_length": 100}, payload=b"x"), "protocol-error"),
    "a rate of 1 Hz": (chunk(rate=1), "unsupported-format"),
    "a rate of 10 MHz": (chunk(rate=10_000_000), "unsupported-format"),
    "a rate that is text": (chunk(rate="16000"), "unsupported-format"),
    "a rate that is missing": (event({"type": "audio-start"}), "unsupported-format"),
    "a negative rate": (chunk(rate=-16_000), "unsupported-format"),
    "a width of 0": (chunk(width=0), "unsupported-format"),
    "a width of 8": (chunk(width=8), "unsupported-format"),
    "0 channels": (chunk(channels=0), "unsupported-format"),
    "1,000 channels": (chunk(channels=1_000), "unsupported-format"),
    "channels that are a list": (chunk(channels=[1]), "unsupported-format"),
    "names that are a string": (event({"type": "detect", "data": {"names": "okay_nabu"}}), "protocol-error"),
    "names that are numbers": (event({"type": "detect", "data": {"names": [1]}}), "protocol-error"),
    "1,001 names": (event({"type": "detect", "data": {"names": ["x"] * 1_001}}), "protocol-error"),
    "a name of 10,000 characters": (event({"type": "detect", "data": {"names": ["x" * 10_000]}}), "protocol-error"),
    "a rate of 60,000 letters": (chunk(rate="x" * 60_000), "unsupported-format"),
    "a rate of 4,000 digits": (chunk(rate=10**4_000), "unsupported-format"),
    "NaN": (b'{"type": "ping", "data": {"text": NaN}}\n', "protocol-error"),
    "an infinity": (b'{"type": "ping", "data": {"text": -Infinity}}\n', "protocol-error"),
    "data nested 17 deep": (event({"type": "ping", "data": nested(17)}), "protocol-error"),
    "data nested 900 deep": (event({"type": "ping", "data": nested(900)}), "protocol-error"),
    "a data block nested 17 deep": (block(nested(17)), "protocol-error"),
    "a data block of 262,145 bytes": (event({"type": "ping", "data_length": 262_145}), "frame-too-large"),
    "a data block that is not UTF-8": (event({"type": "ping", "data_length": 2}, b"\xff\xfe"), "protocol-error"),
    "a data block with two values": (event({"type": "ping", "data_length": 4}, b"{}{}"), "protocol-error"),
    "a payload of a byte more than the limit": (
        event({"type": "audio-chunk", "payload_length": 4_194_305}), "frame-too-large"),
    "a payload length that is a list": (event({"type": "ping", "payload_length": [1]}), "protocol-error"),
    "a payload length of 400 digits": (event({"type": "ping", "payload_length": 10**400}), "frame-too-large"),
    "a data length that is an object": (event({"type": "ping", "data_length": {}}), "protocol-error"),
    "a type that is null": (event({"type": None}), "protocol-error"),
    "a type that is a list": (event({"type": ["ping"]}), "protocol-error"),
    "a string": (b'"describe"\n', "protocol-error"),
    "true": (b"true\n", "protocol-error"),
    "two events on one line": (b'{"type":"ping"}{"type":"ping"}\n', "protocol-error"),
    "single quotes": (b"{'type': 'ping'}\n", "protocol-error"),
    "a comma too many": (b'{"type": "ping",}\n', "protocol-error"),
    "a byte order mark": (b'\xef\xbb\xbf{"type": "ping"}\n', "protocol-error"),
    "UTF-16": ('{"type": "ping"}\n'.encode("utf-16"), "protocol-error"),
    "zeros": (bytes(100) + b"\n", "protocol-error"),
    "a TLS greeting": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "protocol-error"),
    "a WebSocket greeting": (b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "protocol-error"),
    "a bare carriage return": (b"\r\n", "protocol-error"),
    "a rate with a fraction": (chunk(rate=16_000.5), "unsupported-format"),
    "a rate that is true": (chunk(rate=True), "unsupported-format"),
    "a rate that is null": (chunk(rate=None), "unsupported-format"),
    "a rate of 1e999": (b'{"type":"audio-start","data":{"rate":1e999,"width":2,"channels":1}}\n', "unsupported-format"),
    "a width that is text": (chunk(width="2"), "unsupported-format"),
    "a negative width": (chunk(width=-2), "unsupported-format"),
    "negative channels": (chunk(channels=-1), "unsupported-format"),
    "an audio-start of an impossible format": (
        event({"type": "audio-start", "data": {"rate": 16_000, "width": 2, "channels": 0}}), "unsupported-format"),
    "names that are an object": (event({"type": "detect", "data": {"names": {"a": 1}}}), "protocol-error"),
    "names that are empty strings": (event({"type": "detect", "data": {"names": [""]}}), "protocol-error"),
    "names that are lists": (event({"type": "detect", "data": {"names": [["okay_nabu"]]}}), "protocol-error"),
    "a program that does not exist": (
        event({"type": "select-program", "data": {"name": "; rm -rf /"}}), "unknown-model"),
    "a program of 10,000 characters": (
        event({"type": "select-program", "data": {"name": "x" * 10_000}}), "protocol-error"),
    "an unknown name": (event({"type": "detect", "data": {"names": ["../../etc/passwd\n"]}}), "unknown-model"),
    "a program that is a list": (event({"type": "select-program", "data": {"name": []}}), "protocol-error"),
}  # fmt: skip

ODD = {
    "an unknown event": event({"type": "make-coffee", "data": {"sugar": 2}}),
    "unknown keys": event({"type": "describe", "colour": "red", "data": {"x": 1}}),
    "data that is null": event({"type": "detect", "data": None}),
    "a timestamp that is text": chunk(timestamp="now"),
    "a timestamp beyond 64 bits": chunk(timestamp=10**30),
    "half a surrogate pair": b'{"type": "ping", "data": {"text": "\\ud800"}}\n',
    "an empty payload": chunk(b""),
    "data nested 16 deep": event({"type": "detect", "data": {"context": nested(14)}}),
    "a ping with an object for text": event({"type": "ping", "data": {"text": {"a": []}}}),
    "a ping with a number of 4,000 digits": event({"type": "ping", "data": {"text": 10**4_000}}),
    "a format that changes": chunk(bytes(640)) + chunk(bytes(5_760), rate=48_000, width=3, channels=2),
    "a width that changes within a frame": chunk(bytes(3)) + chunk(bytes(5), width=4) + chunk(bytes(7), channels=8),
    "a detect within the audio": chunk(bytes(640)) + event({"type": "detect"}) + chunk(bytes(640)),
    "two audio-stops": chunk(bytes(640)) + event({"type": "audio-stop"}) * 2,
    "half a minute of silence at once": chunk(bytes(240_000), rate=8_000, width=1),
    "keys that are there twice": b'{"type": "ping", "type": "describe", "data": {"x": 1, "x": 2}}\n',
    "spaces around the header": b'   {"type": "describe"}   \n',
    "an odd payload": chunk(b"\0\0\0"),
    "an audio-stop without audio": event({"type": "audio-stop"}),
    "lengths of 0 and null": event({"type": "detect", "data_length": 0, "payload_length": None}),
    "a payload where none belongs": event({"type": "describe", "payload_length": 4}, payload=b"1234"),
}


@pytest.fixture
async def server(configured: Callable[..., Config]) -> AsyncIterator[Service]:
    async with wake_server(configured()) as service:
        yield service


@pytest.fixture
async def impatient(configured: Callable[..., Config]) -> AsyncIterator[Service]:
    """A server that gives up an event that is not whole after 0.3 s."""
    async with wake_server(configured(WAKE__LIMITS__EVENT_TIMEOUT_S="0.3")) as service:
        yield service


async def answers(server: Service, sent: bytes) -> list[dict[str, object]]:
    """The headers, with their data, of all answers to these bytes until the server closes."""
    reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
    try:
        writer.write(sent)
        writer.write_eof()
        said = []
        async with asyncio.timeout(WAIT_S):
            while line := await reader.readline():
                header = json.loads(line)
                header["data"] = json.loads(await reader.readexactly(header["data_length"]))
                await reader.readexactly(header.get("payload_length", 0))
                said.append(header)
        return said
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("case", BAD)
async def test_bad_input_gives_an_error_with_a_stable_code(
    server: Service, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    sent, code = BAD[case]
    (error,) = await answers(server, sent)
    assert error["type"] == "error"
    data = error["data"]
    assert isinstance(data, dict)
    assert data["code"] == code
    assert 0 < len(data["text"]) < 400
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not [record for record in caplog.records if "\n" in record.getMessage()]


@pytest.mark.parametrize("case", ODD)
async def test_odd_but_harmless_input_is_taken(server: Service, case: str) -> None:
    said = await answers(server, ODD[case] + event({"type": "ping", "data": {"text": "still there"}}))
    assert said[-1]["type"] == "pong"
    assert said[-1]["data"] == {"text": "still there"}


async def test_a_line_typed_by_hand_is_an_event(server: Service) -> None:
    (info,) = await answers(server, b'{"type":"describe"}\n')
    assert info["type"] == "info"


async def test_a_bare_connect_and_close_says_nothing(server: Service, caplog: pytest.LogCaptureFixture) -> None:
    assert await answers(server, b"") == []
    assert not caplog.records


async def test_an_event_that_does_not_end_is_given_up(impatient: Service) -> None:
    reader, writer = await asyncio.open_connection(impatient.address.host, impatient.address.port)
    writer.write(event({"type": "audio-chunk", "payload_length": 100}, payload=b"x"))
    async with asyncio.timeout(WAIT_S):
        assert b"limit-exceeded" in await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_asks_for_nothing_is_dropped(configured: Callable[..., Config]) -> None:
    async with wake_server(configured(WAKE__LIMITS__IDLE_TIMEOUT_S="0.2")) as server:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        async with asyncio.timeout(WAIT_S):
            assert b"limit-exceeded" in await reader.read()
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_listens_may_be_silent(configured: Callable[..., Config]) -> None:
    async with wake_server(configured(WAKE__LIMITS__IDLE_TIMEOUT_S="0.5")) as server:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        writer.write(event({"type": "detect"}))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):  # three times the time after which it would be dropped
                await reader.read(1)
        writer.close()
        await writer.wait_closed()


async def test_too_many_connections_are_refused_at_once(configured: Callable[..., Config]) -> None:
    async with wake_server(configured(WAKE__LIMITS__MAX_CONNECTIONS="3")) as server:
        held = [await asyncio.open_connection(server.address.host, server.address.port) for _ in range(3)]
        for reader, writer in held:  # idle ones would give their places after a while
            writer.write(event({"type": "audio-start", "data": {"rate": 16_000, "width": 2, "channels": 1}}))
            writer.write(event({"type": "ping"}))
            await reader.readline()
        (error,) = await answers(server, b"")
        data = error["data"]
        assert isinstance(data, dict)
        assert data["code"] == "limit-exceeded"
        for _, writer in held:
            writer.close()
            await writer.wait_closed()


async def test_a_client_that_never_reads_is_dropped_and_others_are_served(
    configured: Callable[..., Config], caplog: pytest.LogCaptureFixture
) -> None:
    async with wake_server(configured(WAKE__LIMITS__WRITE_TIMEOUT_S="0.3")) as server:
        _, writer = await asyncio.open_connection(server.address.host, server.address.port, limit=1024)
        describe = event({"type": "describe"})
        with pytest.raises(ConnectionError):
            await ask_for_ever(writer, describe)
        writer.close()
        assert [said["type"] for said in await answers(server, describe)] == ["info"]
    assert "has not read" in caplog.text


async def test_a_busy_client_does_not_starve_a_new_one(server: Service) -> None:
    async with AsyncClient.from_uri(server.address.uri) as busy:
        await busy.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        audio = AudioChunk(rate=16_000, width=2, channels=1, audio=bytes(320)).event()
        flood = asyncio.create_task(send_for_ever(busy, audio))
        async with AsyncClient.from_uri(server.address.uri) as new:
            await new.write_event(Describe().event())
            answer = await asyncio.wait_for(new.read_event(), WAIT_S)
            assert answer is not None
            assert Info.is_type(answer.type)
        assert not flood.done()
        flood.cancel()
        await asyncio.wait([flood])


async def ask_for_ever(writer: asyncio.StreamWriter, question: bytes) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            writer.write(question * 100)
            await writer.drain()


async def send_for_ever(client: AsyncClient, audio: Event) -> None:
    while True:
        await client.write_event(audio)


async def test_a_server_that_stops_ends_its_connections(configured: Callable[..., Config]) -> None:
    async with wake_server(configured()) as server:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        writer.write(chunk(bytes(3200)))
        await writer.drain()
    async with asyncio.timeout(WAIT_S):
        assert await reader.read() == b""
    writer.close()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_bursts_and_half_open_connections_leak_no_file(server: Service) -> None:
    await answers(server, b"")  # for what is opened only once
    await until(lambda: server.connections == 0)
    before = open_files()
    for _ in range(50):
        burst = [await asyncio.open_connection(server.address.host, server.address.port) for _ in range(10)]
        for _, writer in burst:
            writer.transport.abort()
    half_open = [await asyncio.open_connection(server.address.host, server.address.port) for _ in range(200)]
    for _, writer in half_open:
        writer.write(b'{"type"')
    await until(lambda: 0 < server.connections <= 64 + CROWD)
    for _, writer in half_open:
        writer.close()
    await until(lambda: server.connections == 0 and open_files() <= before)
    assert [said["type"] for said in await answers(server, event({"type": "describe"}))] == ["info"]


async def test_the_bad_cost_no_memory_and_a_healthy_client_is_served_among_them(server: Service) -> None:
    for sent, _ in BAD.values():
        await answers(server, sent)
    before = resident_bytes()
    async with AsyncClient.from_uri(server.address.uri) as healthy:
        for sent, _ in BAD.values():
            await asyncio.gather(*(answers(server, sent) for _ in range(5)))
            await healthy.write_event(Event("ping"))
            assert await asyncio.wait_for(healthy.read_event(), WAIT_S) == Event("pong", {"text": None})
    assert resident_bytes() - before < 10e6


async def test_an_announced_payload_costs_nothing_before_it_comes(impatient: Service) -> None:
    """Many clients announce the largest payload, and each sends one byte of it."""
    before = resident_bytes()
    announced = event({"type": "audio-chunk", "payload_length": 4_194_304}, payload=b"x")
    clients = [await asyncio.open_connection(impatient.address.host, impatient.address.port) for _ in range(60)]
    for _, writer in clients:
        writer.write(announced)
    for reader, writer in clients:
        async with asyncio.timeout(WAIT_S):
            assert b"limit-exceeded" in await reader.read()
        writer.close()
    assert resident_bytes() - before < 10e6


async def test_the_payloads_of_all_have_a_bound_together(configured: Callable[..., Config]) -> None:
    config = configured(WAKE__LIMITS__TOTAL_PAYLOAD_BYTES="200000", WAKE__LIMITS__EVENT_TIMEOUT_S="60")
    large = event({"type": "audio-chunk", "data": FORMAT, "payload_length": 150_000})
    async with wake_server(config) as server:
        _, first = await asyncio.open_connection(server.address.host, server.address.port)
        first.write(large + bytes(10))
        await asyncio.sleep(0)
        refused: list[dict[str, object]] = []
        async with asyncio.timeout(WAIT_S):
            while not refused:  # until the first one's payload was counted
                refused = [said for said in await answers(server, large + bytes(150_000)) if said["type"] == "error"]
        assert refused[0]["data"]["code"] == "limit-exceeded"  # type: ignore[index]
        assert await answers(server, chunk(bytes(3200))) == []
        first.close()
        await first.wait_closed()
        await until(lambda: server.connections == 0)
        assert await answers(server, large + bytes(150_000)) == []


async def test_many_more_than_allowed_are_hung_up_on(configured: Callable[..., Config]) -> None:
    async with wake_server(configured(WAKE__LIMITS__MAX_CONNECTIONS="2")) as server:
        clients = [await asyncio.open_connection(server.address.host, server.address.port) for _ in range(300)]
        await until(lambda: 0 < server.connections <= 2 + CROWD)
        for _, writer in clients:
            writer.close()
        await until(lambda: server.connections == 0)
        assert [said["type"] for said in await answers(server, event({"type": "describe"}))] == ["info"]
