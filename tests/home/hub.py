"""A stand-in for Home Assistant with the messages of its WebSocket API, as of 2026.11."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from irene_wyoming.home.endpoint import Endpoint, websocket_url

TOKEN = "let-me-in"


@dataclass
class Hub:
    """The state of a Home Assistant; a test changes it and calls ``tell``."""

    version: str = "2026.11.0"
    state: str = "RUNNING"
    floors: list[dict[str, Any]] = field(default_factory=list)
    areas: list[dict[str, Any]] = field(default_factory=list)
    devices: list[dict[str, Any]] = field(default_factory=list)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    exposed: dict[str, dict[str, bool]] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    """Further commands and their results."""
    errors: dict[str, str] = field(default_factory=dict)
    """Error codes by refused command."""
    raw: str | None = None
    """Text sent instead of every answer."""
    mute: bool = False
    """Whether connections are accepted and never answered."""
    closes_at: str = ""
    """A command for which the connection is closed instead of an answer."""
    late: str = ""
    """A command that is answered only once ``answers`` is set."""
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    """All commands received."""
    logins: int = 0
    subscribers: list[tuple[web.WebSocketResponse, int, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(websocket_url(self.url), TOKEN)

    def add(self, entity_id: str, name: str, *, aliases: list[Any] | None = None, area: str | None = None) -> None:
        """Add an entity that is exposed to assistants."""
        self.exposed[entity_id] = {"conversation": True}
        self.entries[entity_id] = {"entity_id": entity_id, "area_id": area, "device_id": None, "aliases": aliases or []}
        self.states.append({"entity_id": entity_id, "state": "on", "attributes": {"friendly_name": name}})

    def rename(self, entity_id: str, name: str) -> None:
        for state in self.states:
            if state["entity_id"] == entity_id:
                state["attributes"]["friendly_name"] = name

    async def tell(self, event: str) -> None:
        """Send an event to subscribers."""
        for socket, number, wanted in list(self.subscribers):
            if wanted == event and not socket.closed:
                await socket.send_json({"id": number, "type": "event", "event": {"event_type": event, "data": {}}})

    def result(self, command: str, message: Mapping[str, Any]) -> Any:
        match command:
            case "get_config":
                return {"state": self.state, "version": self.version}
            case "config/floor_registry/list":
                return self.floors
            case "config/area_registry/list":
                return self.areas
            case "config/device_registry/list":
                return self.devices
            case "homeassistant/expose_entity/list":
                return {"exposed_entities": self.exposed}
            case "config/entity_registry/get_entries":
                return {entity_id: self.entries.get(entity_id) for entity_id in message["entity_ids"]}
            case "get_states":
                return self.states
            case "conversation/sentences/list":
                return {"trigger_sentences": self.sentences}
            case "subscribe_events":
                return None
        return self.more[command]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=4_194_304)
        await socket.prepare(request)
        if self.mute:
            await socket.receive()
            return socket
        if self.raw is not None:
            await socket.send_str(self.raw)
            return socket
        await socket.send_json({"type": "auth_required", "ha_version": self.version})
        if (await socket.receive_json()).get("access_token") != TOKEN:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            return socket
        self.logins += 1
        await socket.send_json({"type": "auth_ok", "ha_version": self.version})
        last = 0
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            asked = message.json()
            assert asked["id"] > last, "Home Assistant refuses ids that do not rise"
            last = asked["id"]
            await self.answer(socket, asked)
        return socket

    async def answer(self, socket: web.WebSocketResponse, asked: Mapping[str, Any]) -> None:
        command = asked["type"]
        self.asked.append(command)
        if command == self.closes_at:
            await socket.close()
            return
        if command == self.late:
            await self.answers.wait()
        try:
            code = self.errors.get(command)
            answer: dict[str, Any] = {"success": True, "result": self.result(command, asked)}
        except KeyError:
            code = "unknown_command"
        if code is not None:
            answer = {"success": False, "error": {"code": code, "message": "Unknown command."}}
        elif command == "subscribe_events":
            self.subscribers.append((socket, asked["id"], asked["event_type"]))
        await socket.send_json({"id": asked["id"], "type": "result", **answer})


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[Hub]:
    """Run the stand-in at a port of its own; a restart uses the same port."""
    app = web.Application()
    sockets: set[web.WebSocketResponse] = set()

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = None
        try:
            socket = await hub.serve(request)
        finally:
            if socket is not None:
                sockets.discard(socket)
        return socket

    app.router.add_get("/api/websocket", serve)

    async def close(_: web.Application) -> None:
        for socket, _number, _event in hub.subscribers:
            await socket.close(code=WSCloseCode.GOING_AWAY)
        hub.subscribers.clear()

    app.on_shutdown.append(close)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", hub.port, reuse_address=True)
    await site.start()
    hub.port = runner.addresses[0][1]
    try:
        yield hub
    finally:
        async with asyncio.timeout(60):
            await runner.cleanup()
