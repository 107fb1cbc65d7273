"""Metrics and health over HTTP: /metrics, /healthz, /readyz, /drain."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from irene_wyoming.config.model import MetricsConfig
from irene_wyoming.metrics import FOLDER_VARIABLE
from irene_wyoming.web.bounded import serving
from irene_wyoming.web.guard import Guard
from irene_wyoming.web.tokens import read_token
from irene_wyoming.wire.address import Address

log = logging.getLogger(__name__)

MAX_REQUESTS = 16
"""Most requests at once; a household has one Prometheus, a monitor and a health check."""

Unready = Callable[[], Awaitable[list[str]]]
"""Gives a line for each server that cannot be used now."""


@dataclass(frozen=True, slots=True)
class Exposition:
    """The routes for metrics, health and draining."""

    unready: Unready
    render: Callable[[], bytes]
    """Gives the metrics; called on a thread, so that reading them does not disturb the audio."""
    drain: Callable[[], None] | None = None
    """Asks the program to stop after its conversations; None: nobody may do so over HTTP."""
    token: str = field(default="", repr=False)
    """The token that other machines must show for that; empty: they may not."""

    def routes(self, check: Callable[[web.Request], None] = lambda _: None) -> list[web.RouteDef]:
        """:param check: raises an HTTP error for clients that may not see metrics, which show when somebody speaks."""

        async def metrics(request: web.Request) -> web.Response:
            check(request)
            return await self.metrics(request)

        routes = [
            web.get("/metrics", metrics),
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
        ]
        return routes if self.drain is None else [*routes, web.post("/drain", self.start_drain)]

    async def start_drain(self, request: web.Request) -> web.Response:
        """Ask the program to stop after its conversations; allowed to this machine, or with the token.

        :raises web.HTTPForbidden: the client is not allowed, or is a page in a browser.
        """
        assert self.drain is not None
        guard = Guard(token=self.token)
        guard.check_site(request)
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not guard.may_connect(request.remote or "") and not guard.opens(shown):
            raise web.HTTPForbidden(text="drain from this machine, or show the token of metrics.token_file\n")
        log.info("asked over HTTP to stop when conversations have ended")
        self.drain()
        return web.Response(text="draining\n", status=202)

    async def metrics(self, _: web.Request) -> web.Response:
        body = await asyncio.to_thread(self.render)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        problems = await self.unready()
        return web.Response(text="\n".join((*problems, "")), status=503) if problems else web.Response(text="ok\n")


def rendered() -> bytes:
    """The metrics of this process, or of all that share theirs, in the text format of Prometheus."""
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


@asynccontextmanager
async def exposed(
    settings: MetricsConfig,
    unready: Unready,
    render: Callable[[], bytes] = rendered,
    drain: Callable[[], None] | None = None,
) -> AsyncIterator[Address | None]:
    """Serve metrics and health while the context lasts; gives the address. None: they are off, or the address is taken.

    :param drain: called by ``POST /drain``.
    :raises ConfigError: the token's file cannot be used.

    A household without metrics can still be heard, so a taken port is only a warning.
    """
    if not settings.enabled:
        yield None
        return
    async with AsyncExitStack() as stack:
        app = web.Application()
        token = await asyncio.to_thread(read_token, settings.token_file, "metrics")
        app.add_routes(Exposition(unready, render, drain, token).routes())
        try:
            address = await stack.enter_async_context(serving(app, settings.address, MAX_REQUESTS))
        except OSError as error:
            log.warning("metrics: not served, cannot listen on %s: %s", settings.address.uri, error.strerror or error)
            yield None
            return
        log.info("metrics: http://%s/metrics", address.uri.removeprefix("tcp://"))
        yield address
