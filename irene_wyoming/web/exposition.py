"""Figures and health over HTTP: /metrics, /healthz, /readyz."""

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
"""At once; a household has one Prometheus, a monitor and a health check."""

Unready = Callable[[], Awaitable[list[str]]]
"""Gives a line for each server that cannot be used now."""


@dataclass(frozen=True, slots=True)
class Exposition:
    """What is told over HTTP."""

    unready: Unready
    render: Callable[[], bytes]
    """Gives the figures; called on a thread, so that whoever reads them is not heard in the audio."""
    drain: Callable[[], None] | None = None
    """Asks the program to stop when its conversations have ended; None: nobody may over HTTP."""
    token: str = field(default="", repr=False)
    """What other machines must show for that; empty: they may not."""

    def routes(self, check: Callable[[web.Request], None] = lambda _: None) -> list[web.RouteDef]:
        """:param check: raises an HTTP error for whoever may not see the figures, which tell when somebody speaks."""

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
        """Ask the program to stop when its conversations have ended: for this machine, or whoever shows the token.

        :raises web.HTTPForbidden: it is neither, or a page in somebody's browser.
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
    """The figures of this process, or of all that share theirs, in the text format of Prometheus."""
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
    """Figures and health for as long as the context lasts, and where; None: they are off, or the address is taken.

    :param drain: what ``POST /drain`` calls.
    :raises ConfigError: the token's file cannot be used.

    A household without figures can still be heard, so that a taken port is a warning and no more.
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
