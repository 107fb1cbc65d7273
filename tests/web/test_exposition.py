"""Metrics and health over HTTP, and answers to bad clients."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from irene_wyoming.app.lifecycle import Stop, observed
from irene_wyoming.app.ready import undescribed, unless
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config, MetricsConfig
from irene_wyoming.web import bounded
from irene_wyoming.web.bounded import REQUEST_BYTES, serving
from irene_wyoming.web.exposition import MAX_REQUESTS, exposed
from irene_wyoming.wire.address import Address
from tests.app.http import ask, get

LOOPBACK = Address("127.0.0.1", 0)


@pytest.fixture
def problems() -> list[str]:
    return []


@pytest.fixture
async def exposition(problems: list[str]) -> AsyncIterator[Address]:
    async def unready() -> list[str]:
        return problems

    async with exposed(MetricsConfig(True, LOOPBACK.host, LOOPBACK.port), unready) as served:
        assert served is not None
        yield served


async def test_figures_are_served(exposition: Address) -> None:
    status, body = await get(exposition, "/metrics")
    assert status == 200
    assert "# TYPE irene_connections gauge" in body
    assert (await get(exposition, "/metrics?name[]=x"))[0] == 200


async def test_health_and_readiness(exposition: Address, problems: list[str]) -> None:
    assert await get(exposition, "/healthz") == (200, "ok\n")
    assert await get(exposition, "/readyz") == (200, "ok\n")
    problems.append("wake: gone")
    assert await get(exposition, "/healthz") == (200, "ok\n")
    assert await get(exposition, "/readyz") == (503, "wake: gone\n")


async def test_a_head_request_gets_no_body(exposition: Address) -> None:
    answer = await ask(exposition, b"HEAD /healthz HTTP/1.0\r\n\r\n")
    assert b"Content-Length: 3" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"GET /metrics/../x HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"GET /metrics HTTP/9.1\r\n\r\n", b"400"),
        (b'{"type":"describe"}\r\n\r\n', b"400"),
        (b"\xff\0\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * REQUEST_BYTES * 2 + b"\r\n\r\n", b"400"),
    ],
)
async def test_a_bad_request_is_refused(exposition: Address, request_bytes: bytes, status: bytes) -> None:
    assert (await ask(exposition, request_bytes)).split()[1] == status
    assert (await get(exposition, "/healthz"))[0] == 200


async def test_what_is_no_request_is_told_in_a_line(exposition: Address, caplog: pytest.LogCaptureFixture) -> None:
    await ask(exposition, b"GET /metrics HTTP/1.1\r\nX: " + b"%s" * REQUEST_BYTES + b"\r\n\r\n")
    (told,) = [record for record in caplog.records if "sent away" in record.getMessage()]
    assert told.getMessage() == "web: 127.0.0.1 was sent away: it sends a line that is too long"
    assert (told.levelname, told.exc_info) == ("WARNING", None)


async def test_clients_that_say_nothing_leave_room_for_others(exposition: Address) -> None:
    silent = [await asyncio.open_connection(exposition.host, exposition.port) for _ in range(5 * MAX_REQUESTS)]
    assert (await get(exposition, "/healthz"))[0] == 200
    assert await silent[0][0].read() == b""  # the first ones had to go
    for _, writer in silent:
        writer.close()


async def test_a_client_that_sends_its_request_drop_by_drop_is_dropped(
    exposition: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "REQUEST_TIMEOUT_S", 0.05)
    reader, writer = await asyncio.open_connection(exposition.host, exposition.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: ")
    assert await reader.read() == b""
    writer.close()


async def test_a_client_from_another_network_is_not_read() -> None:
    app = web.Application()
    async with serving(app, LOOPBACK, places=4, allowed=lambda host: host != "127.0.0.1") as address:
        with suppress(ConnectionError):
            assert await ask(address, b"GET / HTTP/1.0\r\n\r\n") == b""


async def test_a_taken_port_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async def unready() -> list[str]:
        return []

    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        async with exposed(MetricsConfig(True, address.host, address.port), unready) as served:
            assert served is None
    assert "cannot listen on" in caplog.text


async def test_a_server_alone_serves_its_own_figures_and_is_ready(
    configured: Callable[..., Config], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    config, stop = configured(), Stop()
    async with wake_server(config) as service, observed(config, service, stop):
        (told,) = [record.getMessage() for record in caplog.records if "/metrics" in record.getMessage()]
        address = Address.parse("tcp://" + told.split("/")[2])
        assert await get(address, "/readyz") == (200, "ok\n")
        assert 'irene_connections{server="wake"}' in (await get(address, "/metrics"))[1]
        assert b" 202 " in await ask(address, DRAIN)
        assert stop.asked.is_set()
        assert await get(address, "/readyz") == (503, "draining\n")


DRAIN = b"POST /drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"


async def drained(settings: MetricsConfig, request: bytes) -> tuple[bytes, bool]:
    """The answer to a request, and whether the program is drained afterwards."""
    stop = Stop()
    async with exposed(settings, unless(stop.asked, undescribed({})), drain=stop.ask) as address:
        assert address is not None
        answer = await ask(address, request)
        return answer.split()[1], stop.asked.is_set()


@pytest.mark.parametrize(
    "header", [b"Origin: http://evil.example", b"Origin: http://localhost:1234", b"Host: rebound.example"]
)
async def test_a_page_in_a_browser_drains_nothing(header: bytes) -> None:
    request = DRAIN.replace(b"Content-Length", header + b"\r\nContent-Length")
    if header.startswith(b"Host"):
        request = request.replace(b"Host: localhost\r\n", b"")
    assert await drained(MetricsConfig(True, "127.0.0.1", 0), request) == (b"403", False)


@pytest.mark.parametrize(
    ("shown", "status"), [("", b"403"), ("x" * 32, b"403"), ("another", b"403"), ("t" * 32, b"202")]
)
async def test_another_machine_drains_by_token_only(tmp_path: Path, other_host: str, shown: str, status: bytes) -> None:
    path = tmp_path / "token"
    path.write_text("t" * 32)
    request = DRAIN.replace(b"Content-Length", f"Authorization: Bearer {shown}\r\nContent-Length".encode())
    assert await drained(MetricsConfig(True, other_host, 0, path), request) == (status, status == b"202")
    assert await drained(MetricsConfig(True, other_host, 0), request) == (b"403", False)


async def test_nobody_there_is_not_ready() -> None:
    (problem,) = await undescribed({"wake": Address("127.0.0.1", 1)})()
    assert problem.startswith("wake: ")


async def test_figures_may_be_off() -> None:
    async def unready() -> list[str]:
        return []

    async with exposed(MetricsConfig(False, LOOPBACK.host, LOOPBACK.port), unready) as served:
        assert served is None
