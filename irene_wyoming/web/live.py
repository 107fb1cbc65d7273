"""The page's WebSocket: sends changes a few times a second, and takes the page's requests."""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from irene_wyoming.errors import IreneError
from irene_wyoming.tasks import ended

log = logging.getLogger(__name__)

EVERY_S = 0.25
"""Seconds between two looks at the state: at most four updates a second."""

MAX_PAGES = 16
"""Most pages at a time. A household has some browsers, and each costs what it is sent."""

MAX_MESSAGE_BYTES = 65_536
"""Most bytes of a page's message: a second of its microphone has 32 kB."""

MAX_DOING = 8
"""Most requests of one page at a time: a person moves one slider after the other."""

WRITE_TIMEOUT_S = 10.0
"""Seconds after which a page that takes nothing counts as gone."""

HEARTBEAT_S = 30.0


class Attempt(Protocol):
    """A target for the page's audio, such as a word to try."""

    def push(self, pcm: bytes) -> None:
        """Take audio at 16 kHz, 16 bit, mono; raises IreneError where it is too much."""

    async def finish(self) -> Mapping[str, Any]:
        """End the attempt; returns its result as JSON values."""

    async def close(self) -> None: ...


class Source(Protocol):
    """The state that the page shows, and the actions that it offers."""

    def watched(self) -> AbstractAsyncContextManager[None]:
        """Mark that somebody watches while the context lasts."""

    def state(self) -> Mapping[str, Any]:
        """The whole state as JSON values, in parts that change together."""

    async def do(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do what a page has asked for; raises IreneError where that fails."""

    def attempt(self, asked: Mapping[str, Any]) -> Attempt:
        """Begin an attempt; raises IreneError where it is not possible."""

    async def recording(self, name: str) -> bytes:
        """A kept recording as a wav file. The name comes from an address and may be anything.

        :raises IreneError: there is none of this name.
        """


class Live:
    """All open pages."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._pages: set[Page] = set()
        self._looking: asyncio.Task[None] | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one page while it is open."""
        if len(self._pages) >= MAX_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{MAX_PAGES} pages are open, close one\n")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False)
        await socket.prepare(request)
        page = Page(socket, self._source)
        async with self._source.watched():
            self._pages.add(page)
            if self._looking is None:
                self._looking = asyncio.create_task(self._look(), name="look for the pages")
            try:
                await page.serve()
            finally:
                self._pages.discard(page)
        return socket

    async def close(self) -> None:
        """End all pages."""
        await asyncio.gather(*(page.leave() for page in self._pages))
        await ended(self._looking)

    async def _look(self) -> None:
        try:
            while self._pages:
                texts = {part: json.dumps(value, ensure_ascii=False) for part, value in self._source.state().items()}
                for page in self._pages:
                    page.offer(texts)
                await asyncio.sleep(EVERY_S)
        finally:
            self._looking = None


class Page:
    """One browser's page. A slow one gets fewer updates, and always the newest."""

    def __init__(self, socket: web.WebSocketResponse, source: Source) -> None:
        self._socket = socket
        self._source = source
        self._sent: dict[str, str] = {}
        self._newest: Mapping[str, str] = {}
        self._news = asyncio.Event()
        self._attempt: Attempt | None = None
        self._doing: set[asyncio.Task[None]] = set()

    def offer(self, texts: Mapping[str, str]) -> None:
        """Offer the newest state, by its parts as JSON."""
        self._newest = texts
        self._news.set()

    async def leave(self) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def serve(self) -> None:
        telling = asyncio.create_task(self._tell(), name="tell a page")
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._on_text(message.data)
                elif message.type is WSMsgType.BINARY and self._attempt is not None:
                    await self._on_audio(message.data)
        finally:
            await ended(telling, *self._doing)
            await self._end_attempt()

    async def _tell(self) -> None:
        """Send changes until the page has gone."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                changed = {part: text for part, text in self._newest.items() if self._sent.get(part) != text}
                if changed:
                    self._sent |= changed
                    parts = ",".join(f"{json.dumps(part)}:{text}" for part, text in changed.items())
                    await self._send(f'{{"state":{{{parts}}}}}')
        except (OSError, TimeoutError):
            await self.leave()

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await self._socket.send_str(text)

    async def _on_text(self, text: str) -> None:
        try:
            asked = json.loads(text)
            number, what = int(asked["id"]), str(asked["do"])
        except (ValueError, TypeError, KeyError, RecursionError):
            await self._socket.close(code=WSCloseCode.INVALID_TEXT)
            return
        if what == "try":
            await self._end_attempt()
            try:
                self._attempt = self._source.attempt(asked)
            except IreneError as error:
                await self._answer(number, {"error": str(error)})
            return
        if len(self._doing) >= MAX_DOING:
            await self._answer(number, {"error": "too much is being done; try again in a moment"})
            return
        task = asyncio.create_task(self._do(number, what, asked), name="do what a page asks for")
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    async def _do(self, number: int, what: str, asked: Mapping[str, Any]) -> None:
        try:
            if what == "heard" and self._attempt is not None:
                attempt, self._attempt = self._attempt, None  # another may begin while this one is understood
                try:
                    answer = await attempt.finish()
                finally:
                    await attempt.close()
            else:
                answer = await self._source.do(asked)
        except IreneError as error:
            answer = {"error": str(error)}
        await self._answer(number, answer)

    async def _on_audio(self, pcm: bytes) -> None:
        assert self._attempt is not None
        try:
            self._attempt.push(pcm)
        except IreneError as error:
            await self._answer(0, {"error": str(error)})
            await self._end_attempt()

    async def _answer(self, number: int, answer: Mapping[str, Any]) -> None:
        with suppress(OSError, TimeoutError):
            await self._send(json.dumps({"answer": number, **answer}, ensure_ascii=False))

    async def _end_attempt(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            await attempt.close()
