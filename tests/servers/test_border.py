"""What a hostile or broken client sends gives an error event or a clean close, never a traceback."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.servers.service import Service

WAIT_S = 10


def event(header: dict[str, object], data: bytes = b"", payload: bytes = b"") -> bytes:
    return json.dumps(header).encode() + b"\n" + data + payload


def chunk(payload: bytes = b"\0\0", **fields: object) -> bytes:
    data = {"rate": 16_000, "width": 2, "channels": 1, "timestamp": None} | fields
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
    "a thousand names": (event({"type": "detect", "data": {"names": ["x"] * 1_000}}), "protocol-error"),
    "a name of 10,000 characters": (event({"type": "detect", "data": {"names": ["x" * 10_000]}}), "protocol-error"),
    "a rate of 60,000 letters": (chunk(rate="x" * 60_000), "unsupported-format"),
    "a rate of 4,000 digits": (chunk(rate=10**4_000), "unsupported-format"),
    "NaN": (b'{"type": "ping", "data": {"text": NaN}}\n', "protocol-error"),
    "an infinity": (b'{"type": "ping", "data": {"text": -Infinity}}\n', "protocol-error"),
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
    "an odd payload": chunk(b"\0\0\0"),
    "an audio-stop without audio": event({"type": "audio-stop"}),
    "lengths of 0 and null": event({"type": "detect", "data_length": 0, "payload_length": None}),
    "a payload where none belongs": event({"type": "describe", "payload_length": 4}, payload=b"1234"),
}


@pytest.fixture
async def server(configured: Callable[..., Config]) -> AsyncIterator[Service]:
    async with wake_server(configured(WAKE__LIMITS__EVENT_TIMEOUT_S="0.3")) as service:
        yield service


async def answers(server: Service, sent: bytes) -> list[dict[str, object]]:
    """The headers, with their data, of all that the server says to these bytes until it closes."""
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


async def test_an_event_that_does_not_end_is_given_up(server: Service) -> None:
    reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
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
    async with wake_server(configured(WAKE__LIMITS__IDLE_TIMEOUT_S="0.1")) as server:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        writer.write(event({"type": "detect"}))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):  # five times as long as it would be dropped after
                await reader.read(1)
        writer.close()
        await writer.wait_closed()


async def test_too_many_connections_are_refused_at_once(configured: Callable[..., Config]) -> None:
    async with wake_server(configured(WAKE__LIMITS__MAX_CONNECTIONS="3")) as server:
        held = [await asyncio.open_connection(server.address.host, server.address.port) for _ in range(3)]
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
