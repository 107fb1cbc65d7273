"""Figures and health over HTTP: /metrics, /healthz, /readyz.

A scrape is rendered on a thread, and everything that a client can make us wait for or hold is bounded: whoever reads
figures must not be heard in the audio.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from irene_wyoming.config.model import Address, MetricsConfig
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.metrics import FOLDER_VARIABLE
from irene_wyoming.servers.client import describe

log = logging.getLogger(__name__)

REQUEST_BYTES = 8_192
"""Of a request line and its headers; Prometheus sends some 300."""

REQUEST_TIMEOUT_S = 5.0
"""From accept to close."""

MAX_REQUESTS = 16
"""At once; a household has one Prometheus, a monitor and a health check."""

DESCRIBE_TIMEOUT_S = 1.0
"""What a server gets to describe itself in before it counts as not ready: as much as a hub gives it."""

TEXT = "text/plain; charset=utf-8"

Unready = Callable[[], Awaitable[list[str]]]
"""Gives a line for each server that cannot be used now."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: HTTPStatus
    body: bytes
    content_type: str = TEXT
    headers: tuple[str, ...] = ()

    def encode(self, *, with_body: bool = True) -> bytes:
        lines = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "Connection: close",
            *self.headers,
        )
        return "\r\n".join((*lines, "", "")).encode() + (self.body if with_body else b"")


class Exposition:
    """One HTTP address. Each connection is answered once and closed."""

    def __init__(self, address: Address, unready: Unready, render: Callable[[], bytes] | None = None) -> None:
        """:param render: gives the figures; called on a thread. None: those of all processes that share theirs."""
        self.address = address
        self._unready = unready
        self._render = render or rendered
        self._server: asyncio.Server | None = None
        self._open = 0

    async def start(self) -> None:
        """Listen. Afterwards ``address`` has the port that was really taken.

        :raises OSError: the address cannot be had.
        """
        self._server = await asyncio.start_server(
            self._serve, self.address.host, self.address.port, limit=REQUEST_BYTES, reuse_address=True
        )
        self.address = Address(host=self.address.host, port=self._server.sockets[0].getsockname()[1])
        log.info("metrics: http://%s/metrics", self.address.uri.removeprefix("tcp://"))

    async def stop(self) -> None:
        """Listen no more; a request under way ends by itself. May be called more than once."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                if self._open <= MAX_REQUESTS:
                    writer.write(await self._respond(reader))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # gone, or never a client of ours
        finally:
            self._open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _respond(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return Answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, b"too long\n").encode()
        words = head.partition(b"\r\n")[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return Answer(HTTPStatus.BAD_REQUEST, b"not HTTP/1\n").encode()
        method, target, _ = words
        if method not in (b"GET", b"HEAD"):
            return Answer(HTTPStatus.METHOD_NOT_ALLOWED, b"GET only\n", headers=("Allow: GET, HEAD",)).encode()
        answer = await self._answer(target.partition(b"?")[0])
        return answer.encode(with_body=method == b"GET")

    async def _answer(self, path: bytes) -> Answer:
        match path:
            case b"/metrics":
                return Answer(HTTPStatus.OK, await asyncio.to_thread(self._render), CONTENT_TYPE_LATEST)
            case b"/healthz":
                return Answer(HTTPStatus.OK, b"ok\n")
            case b"/readyz":
                if problems := await self._unready():
                    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "\n".join((*problems, "")).encode())
                return Answer(HTTPStatus.OK, b"ok\n")
            case _:
                return Answer(HTTPStatus.NOT_FOUND, b"there are /metrics, /healthz and /readyz\n")


def rendered() -> bytes:
    """The figures of this process, or of all that share theirs, in the text format of Prometheus."""
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def undescribed(servers: Mapping[str, Address]) -> Unready:
    """Says which of these servers do not describe themselves."""

    async def ask(name: str, address: Address) -> str | None:
        try:
            await describe(address, DESCRIBE_TIMEOUT_S)
        except ServerUnavailable as error:
            return f"{name}: {error}"
        return None

    async def unready() -> list[str]:
        problems = await asyncio.gather(*(ask(name, address) for name, address in servers.items()))
        return [problem for problem in problems if problem is not None]

    return unready


@asynccontextmanager
async def exposed(settings: MetricsConfig, unready: Unready) -> AsyncIterator[Exposition | None]:
    """Figures and health for as long as the context lasts; None where they are off or the address cannot be had.

    A household without figures can still be heard, so that a taken port is a warning and no more.
    """
    if not settings.enabled:
        yield None
        return
    exposition = Exposition(settings.address, unready)
    try:
        await exposition.start()
    except OSError as error:
        log.warning("metrics: not served, cannot listen on %s: %s", settings.address.uri, error.strerror or error)
        yield None
        return
    try:
        yield exposition
    finally:
        await exposition.stop()
