"""One id per conversation, in the logs of the front and of the server behind it."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event

from irene_wyoming import trace
from irene_wyoming.app.front import front_server
from irene_wyoming.app.logs import JsonFormatter, TextFormatter
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.proxy import HEAD_BYTES, SIGNATURE, connection_id
from tests.conftest import until

UNKNOWN = {"names": ["okay_nabu", "nobody"]}
"""A request about which the wake server logs a line."""


async def told(configured: Callable[..., Config], lines: list[str], before: bytes, context: Any) -> str:
    """The id in the wake server's log, for a client of the front that sends these bytes."""
    config = configured(FRONT__ACCESS__PROXIES="[127.0.0.1]" if before else "[]")
    async with wake_server(config) as wake, front_server(config, {"wake": wake.address}) as front:
        event = Event("detect", {**UNKNOWN, "context": context}).to_dict()
        await sent(front.address, before + json.dumps(event).encode() + b"\n", lines)
    [line] = [line for line in lines if "nobody" in line]
    found = json.loads(line)["trace"]
    assert isinstance(found, str)
    return found


async def sent(address: Address, data: bytes, lines: list[str]) -> None:
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(data)
    await until(lambda: any("nobody" in line for line in lines))
    writer.close()
    await writer.wait_closed()


def header(*fields: bytes) -> bytes:
    """A header of the PROXY protocol for a client in 10.0.0.0/8, with more fields."""
    rest = bytes((10, 0, 0, 7, 10, 0, 0, 1, 0, 1, 0, 2)) + b"".join(fields)
    return SIGNATURE + b"\x21\x11" + len(rest).to_bytes(2, "big") + rest


@pytest.mark.parametrize(
    ("before", "context", "expected"),
    [
        (b"", {"trace": "kitchen-7", "satellite": "kitchen"}, "kitchen-7"),
        (header(b"\x04\x00\x02hi", b"\x05\x00\x06from-p"), None, "from-p"),
        (header(b"\x05\x00\x06from-p"), {"trace": "from-client"}, "from-client"),
    ],
)
async def test_the_id_reaches_the_server(
    configured: Callable[..., Config], lines: list[str], before: bytes, context: Any, expected: str
) -> None:
    assert await told(configured, lines, before, context) == expected


@pytest.mark.parametrize("bad", [None, "", 7, "x" * 65, "a b", "a\nb", "-x", {"trace": "x"}])
async def test_without_a_good_one_the_front_makes_one(
    configured: Callable[..., Config], lines: list[str], bad: Any
) -> None:
    assert len(await told(configured, lines, b"", {"trace": bad})) == 16


@pytest.mark.parametrize(
    "rest", [b"", b"\x05", b"\x05\x00", b"\x05\xff\xff", b"\x05\x00\x00", b"\x04\x00\x01", b"\x04\xff\xffx"]
)
def test_a_damaged_field_is_no_id(rest: bytes) -> None:
    whole = header(rest)
    found = connection_id(whole[:HEAD_BYTES], whole[HEAD_BYTES:])
    assert found == ""


async def test_lines_outside_of_conversations_have_none_and_text_has_one_where_it_is_wanted() -> None:
    record = logging.LogRecord("irene", logging.INFO, "x", 1, "heard", (), None)
    assert "trace" not in json.loads(JsonFormatter().format(record))
    trace.begin("abc")
    assert json.loads(JsonFormatter().format(record))["trace"] == "abc"
    assert TextFormatter(traced=True).format(record).endswith("heard [abc]")
    assert TextFormatter().format(record).endswith("heard")


async def test_a_hub_sees_nothing_of_it(configured: Callable[..., Config]) -> None:
    config = configured()
    async with wake_server(config) as wake, AsyncClient.from_uri(wake.address.uri) as client:
        await client.write_event(Event("describe", {"trace": "abc"}))
        event = await client.read_event()
        assert event is not None
        assert "abc" not in json.dumps(event.data)
