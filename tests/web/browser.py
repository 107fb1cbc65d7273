"""A real browser, and the page of made-up servers."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, web
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from irene_wyoming.errors import LimitExceeded, UnsupportedRequest
from irene_wyoming.web.exposition import Exposition
from irene_wyoming.web.guard import Guard
from irene_wyoming.web.page import page
from irene_wyoming.wire.address import Address

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

SHOTS = os.environ.get("IRENE_WYOMING_SCREENSHOTS")
"""Folder in which the tests leave screenshots; not set: they leave none."""


@asynccontextmanager
async def browser(*arguments: str) -> AsyncIterator[Browser]:
    """Run Chromium without a window."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *arguments]
        )
        try:
            yield started
        finally:
            await started.close()


@asynccontextmanager
async def tab(started: Browser, url: str, **options: Any) -> AsyncIterator[Page]:
    """Open a page in a context of its own. An error in its console fails the test."""
    context: BrowserContext = await started.new_context(**{"viewport": DESKTOP, **options})
    opened = await context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    try:
        await opened.goto(url)
        yield opened
        assert troubles == []
    finally:
        await context.close()


def sized(width: int) -> dict[str, int]:
    return PHONE if width == PHONE["width"] else DESKTOP


async def serious(opened: Page) -> list[str]:
    """Serious problems found by axe-core. Open the page with ``bypass_csp``, since axe is no part of it."""
    await opened.add_script_tag(content=AXE_FILE_PATH.read_text())
    found: dict[str, Any] = await opened.evaluate("axe.run()")
    bad = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in bad]


async def shot(opened: Page, name: str) -> None:
    """Save screenshots where they are wanted: of the whole page, and of its first view."""
    if SHOTS:
        await opened.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
        await opened.screenshot(path=Path(SHOTS) / f"{name}-first.png")


class MadeUp:
    """Servers in a state that a test sets."""

    def __init__(self, **state: Any) -> None:
        self.shown: dict[str, Any] = {
            "about": {"version": "1", "hardware": "pc", "read_only": False, "language": "en", "front": None},
            "servers": [],
            "satellites": [],
            "listeners": [],
            "microphones": [],
            "engines": [],
            "names": None,
            "words": [],
            "commands": [],
            "warnings": [],
            "tuning": {"words": {}, "can_undo": False, "kept": True, "verify": "auto"}
            | {"arbitration": {"window_ms": 0, "always": False}}
            | {"recording": {"on": False, "words": None, "folder": "/data/wake/recordings"}},
            "together": [],
            "recorded": [],
            "job": None,
        } | state
        self.lookers = 0
        self.looked = 0
        self.asked: list[Mapping[str, Any]] = []
        self.answer: Mapping[str, Any] = {}
        self.tried: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self.heard: Mapping[str, Any] = {"text": "turn on the light", "delay_s": 0.1, "seconds": 1.0}

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        self.lookers += 1
        try:
            yield
        finally:
            self.lookers -= 1

    def state(self) -> Mapping[str, Any]:
        self.looked += 1
        return self.shown

    async def do(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(asked)
        if "error" in self.answer:
            raise UnsupportedRequest(str(self.answer["error"]))
        return self.answer

    async def recording(self, name: str) -> bytes:
        if name not in self.files:
            raise UnsupportedRequest(f"there is no recording {name!r}")
        return self.files[name]

    def attempt(self, asked: Mapping[str, Any]) -> "MadeUpAttempt":
        self.asked.append(asked)
        return MadeUpAttempt(self)


class MadeUpAttempt:
    def __init__(self, servers: MadeUp) -> None:
        self._servers = servers
        self._size = 0

    def push(self, pcm: bytes) -> None:
        self._size += len(pcm)
        if self._size > 1_000_000:
            raise LimitExceeded("that is longer than 30 s")
        self._servers.tried.append(pcm)

    async def finish(self) -> Mapping[str, Any]:
        return self._servers.heard

    async def close(self) -> None: ...


async def nobody_is_missing() -> list[str]:
    return []


@asynccontextmanager
async def served(servers: MadeUp, guard: Guard | None = None) -> AsyncIterator[str]:
    """Serve the page of made-up servers; gives its address."""
    exposition = Exposition(nobody_is_missing, lambda: b"figures\n")
    async with page(Address("127.0.0.1", 0), guard or Guard(), servers, exposition) as where:
        yield f"http://127.0.0.1:{where.port}/"


BASE = "/api/hassio_ingress/a-b_c.123"


@asynccontextmanager
async def ingress(target: str) -> AsyncIterator[str]:
    """Run a stand-in for Home Assistant's ingress: the page under another path, with its headers. Gives its address."""

    async def forward(request: web.Request) -> web.StreamResponse:
        url = target + request.match_info["path"]
        headers = {"X-Ingress-Path": BASE, "X-Forwarded-Host": request.host}
        headers |= {"Origin": request.headers["Origin"]} if "Origin" in request.headers else {}
        async with ClientSession() as session:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await forward_socket(session, request, url, headers)
            async with session.request(request.method, url, headers=headers) as answer:
                body = await answer.read()
                kept = {name: answer.headers[name] for name in ("Content-Type", "Content-Security-Policy")}
                return web.Response(status=answer.status, body=body, headers=kept)

    app = web.Application()
    app.router.add_route("*", BASE + "/{path:.*}", forward)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{BASE}/"


async def forward_socket(
    session: ClientSession, request: web.Request, url: str, headers: Mapping[str, str]
) -> web.WebSocketResponse:
    client = web.WebSocketResponse()
    await client.prepare(request)
    async with session.ws_connect(url, headers=headers) as server:

        async def back() -> None:
            async for message in server:
                await client.send_str(message.data)

        task = asyncio.create_task(back())
        async for message in client:
            if message.type is WSMsgType.TEXT:
                await server.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await server.send_bytes(message.data)
        task.cancel()
        await asyncio.wait([task])
    return client


@contextmanager
def changed(servers: MadeUp, **state: Any) -> Iterator[None]:
    """Change the state of the servers while the context lasts."""
    before = {part: servers.shown[part] for part in state}
    servers.shown |= state
    try:
        yield
    finally:
        servers.shown |= before


def example() -> MadeUp:
    """A household in which all kinds of things have happened."""
    at = 1_800_000_000.0
    words: Sequence[Mapping[str, Any]] = [
        {"what": "word", "at": at - index, "caller": room, "word": "okay_nabu", "heard": peak >= 0.5, "peak": peak}
        | {"threshold": 0.5, "level_dbfs": -31.2, "snr_db": 22.0, "steps": round(peak * 6), "look": peak * 20 - 10}
        for index, (room, peak) in enumerate([("kitchen", 0.97), ("attic", 0.41), ("kitchen", 0.88), ("kitchen", 0.93)])
    ]
    command = {"caller": "192.168.1.20", "provider": "guided", "confidence": 0.97, "delay_s": 0.21, "level_dbfs": -30.0}
    return MadeUp(
        about={
            "version": "0.2.0",
            "hardware": "pi5",
            "read_only": False,
            "language": "en",
            "front": "tcp://0.0.0.0:10700",
        },
        servers=[
            {"name": "wake", "up": True, "clients": 2, "restarts": 0, "memory_mb": 74.0, "lag_ms": 0.6},
            {"name": "asr", "up": True, "clients": 0, "restarts": 1, "memory_mb": 212.0, "lag_ms": 1.1},
            {"name": "mic", "up": False, "clients": 0, "restarts": 4, "memory_mb": None, "lag_ms": None},
        ],
        satellites=[
            {"id": "wake-1", "caller": "kitchen", "words": ["okay_nabu"], "scores": {"okay_nabu": 0.12}}
            | {"level_dbfs": -34.0, "snr_db": 24.0, "peak_dbfs": -20.0, "clipped": 0},
            {"id": "wake-2", "caller": "attic", "words": ["okay_nabu"], "scores": {}}
            | {"level_dbfs": -100.0, "snr_db": 0.0, "peak_dbfs": -100.0, "clipped": 0},
        ],
        engines=[
            {"id": "wake-5", "role": "wake", "name": "openwakeword", "trouble": ""}
            | {"words": [{"name": "okay_nabu", "phrase": "Okay Nabu", "threshold": 0.5, "trigger_level": 1}]},
            {"id": "asr-5", "role": "asr", "name": "guided", "trouble": "", "ready": True, "busy": 2}
            | {"models": [{"name": "moonshine-tiny-en", "languages": ["en"], "installed": True}]},
            {"id": "asr-6", "role": "asr", "name": "vosk", "trouble": "vosk is not installed: pip install vosk"}
            | {"models": [], "ready": False, "busy": 0},
            {"id": "asr-7", "role": "asr", "name": "whisper", "trouble": "", "ready": False, "busy": 0}
            | {"models": [{"name": "base", "languages": ["en"], "installed": True}]},
        ],
        names={"version": "2026.11.0", "counted": "1 floor, 6 areas, 41 entities, 2 sentences", "read_at": 0}
        | {"trouble": "", "left_out": ["names longer than 120 characters: 1; give the things a short alias"]},
        words=list(words),
        commands=[
            {"at": at, "text": "turn on the AC/DC lamp", "kind": "command", **command},
            {"at": at - 30, "text": "", "reason": "too soft", **command, "confidence": None}
            | {"nearest": "close the shade", "nearest_confidence": 0.44},
        ],
        together=[{"at": at, "word": "okay_nabu", "caller": "attic", "later_ms": later} for later in (40, 90, 130)],
        warnings=[
            {
                "at": at,
                "server": "mic",
                "level": "warning",
                "text": "no microphone: plug one in, or set mic.source.device",
            }
        ],
    )
