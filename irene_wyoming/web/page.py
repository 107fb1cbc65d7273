"""The page over HTTP: its files, its WebSocket, and the form for the token."""

import asyncio
import logging
import mimetypes
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files

from aiohttp import web
from aiohttp.typedefs import Handler

from irene_wyoming.errors import IreneError
from irene_wyoming.web.bounded import PLACES, serving
from irene_wyoming.web.exposition import Exposition
from irene_wyoming.web.guard import COOKIE, Guard
from irene_wyoming.web.live import Live, Source
from irene_wyoming.wire.address import Address

log = logging.getLogger(__name__)

PLACES_AT_ONCE = 64
"""Connections at a time: a browser opens six while it loads, and one that lasts."""

MAX_FORM_BYTES = 4_096
"""Most bytes of a posted token's form."""

WRONG_TOKEN_S = 1.0
"""Seconds that a wrong token waits for its answer, so that guessing takes for ever."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cache-Control": "no-cache",
}

Files = Mapping[str, tuple[bytes, str]]
"""Files by name: content and media type."""


def read_files() -> Files:
    """Read the page's files, which are small and kept in memory. Blocks."""
    found = {}
    for each in files("irene_wyoming.web").joinpath("static").iterdir():
        kind = "text/javascript" if each.name.endswith(".js") else mimetypes.guess_type(each.name)[0]
        found[each.name] = each.read_bytes(), kind or "application/octet-stream"
    return found


class PageApp:
    """The page's routes."""

    def __init__(self, guard: Guard, live: Live, source: Source, page_files: Files) -> None:
        self._guard = guard
        self._live = live
        self._source = source
        self._files = page_files

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.index),
            web.get("/static/{name}", self.file),
            web.get("/live", self.live),
            web.get("/recordings/{name}", self.recording),
            web.post("/login", self.login),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """The page; where a token is required and missing, the form for it."""
        self._guard.check_site(request)
        try:
            self._guard.check(request)
        except web.HTTPUnauthorized:
            return self._file("login.html")
        return self._file("index.html")

    async def file(self, request: web.Request) -> web.Response:
        """A file that is the same for everybody and contains nothing private."""
        self._guard.check_site(request)
        name = request.match_info["name"]
        if name not in self._files:
            raise web.HTTPNotFound
        return self._file(name)

    async def recording(self, request: web.Request) -> web.Response:
        """A recording of the home, for those who may open the page. Browsers and proxies must not keep it."""
        self._guard.check(request)
        try:
            content = await self._source.recording(request.match_info["name"])
        except IreneError as error:
            raise web.HTTPNotFound(text=f"{error}\n") from error
        return web.Response(body=content, content_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def live(self, request: web.Request) -> web.StreamResponse:
        self._guard.check(request)
        request.app[PLACES].keep(request)
        return await self._live.serve(request)

    async def login(self, request: web.Request) -> web.Response:
        self._guard.check_site(request)
        shown = (await request.post()).get("token")
        session = self._guard.let_in(shown.strip()) if isinstance(shown, str) else None
        if session is None:
            await asyncio.sleep(WRONG_TOKEN_S)
            log.warning("web: %s shows a wrong token", request.remote)
            raise web.HTTPSeeOther("./?wrong")
        answer = web.HTTPSeeOther("./")
        answer.set_cookie(COOKIE, session, httponly=True, samesite="Strict", path="/")
        raise answer

    def _file(self, name: str) -> web.Response:
        body, kind = self._files[name]
        text = kind.startswith("text/") or kind == "image/svg+xml"
        return web.Response(body=body, content_type=kind, charset="utf-8" if text else None)


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as refused:
        refused.headers.update(HEADERS)
        raise
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response


@asynccontextmanager
async def page(address: Address, guard: Guard, source: Source, exposition: Exposition) -> AsyncIterator[Address]:
    """Serve the page while the context lasts; gives its address.

    :raises OSError: the address cannot be used.
    """
    live = Live(source)
    app = web.Application(client_max_size=MAX_FORM_BYTES, middlewares=[with_headers])
    app.add_routes(PageApp(guard, live, source, await asyncio.to_thread(read_files)).routes())
    app.add_routes(exposition.routes(guard.check))
    app.on_shutdown.append(lambda _: live.close())
    async with serving(app, address, PLACES_AT_ONCE, guard.may_connect) as where:
        yield where
