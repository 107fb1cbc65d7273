"""A stand-in for servers with OpenAI's realtime API: OpenAI's own, Speaches and vLLM."""

import asyncio
import json
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import AsrEngine, AsrRequest

WIDE = AudioFormat(24_000, 2, 1)
HEARD = "conversation.item.input_audio_transcription"

CREATED: dict[str, dict[str, Any]] = {
    "openai": {"type": "session.created", "session": {"type": "realtime", "object": "realtime.session", "audio": {}}},
    "speaches": {"type": "session.created", "session": {"id": "sess_1", "input_audio_format": "pcm16"}},
    "vllm": {"type": "session.created", "id": "sess-1", "created": 1},
}
"""The first message of each kind of server."""


@dataclass
class Conversation:
    """One WebSocket and its messages so far."""

    socket: web.WebSocketResponse
    request: web.Request
    received: list[dict[str, Any]] = field(default_factory=list)
    """Received messages, without those that carry audio."""
    pcm: bytearray = field(default_factory=bytearray)

    async def say(self, kind: str, **content: Any) -> None:
        await self.socket.send_json({"type": kind, **content})

    async def hear(self, until: Callable[[dict[str, Any]], bool] = lambda _: False) -> bool:
        """Read messages until one fits; False: the client has gone."""
        async for message in self.socket:
            if message.type is not WSMsgType.TEXT:
                return False
            found = json.loads(message.data)
            if found["type"] == "input_audio_buffer.append":
                self.pcm += b64decode(found["audio"], validate=True)
            else:
                self.received.append(found)
            if until(found):
                return True
        return False


Behave = Callable[[Conversation], Awaitable[None]]


def ends(found: dict[str, Any], *, vllm: bool) -> bool:
    """Whether a message ends the audio."""
    return found["type"] == "input_audio_buffer.commit" and (not vllm or found.get("final", False))


def understands(kind: str, guided: AsrEngine) -> Behave:
    """Check messages as the real server does, and transcribe with ``guided``."""
    vllm = kind == "vllm"
    one_at_a_time = asyncio.Lock()

    def transcribe(pcm: bytes) -> str:
        session = guided.session(AsrRequest())
        if vllm:
            session.push(pcm)
        else:
            converter = Converter(WIDE, SPEECH)
            session.push(converter.push(pcm) + converter.flush())
        return session.finish().text

    async def behave(talk: Conversation) -> None:
        await talk.socket.send_json(CREATED[kind])
        if not await talk.hear(lambda found: ends(found, vllm=vllm)):
            return
        if not vllm:
            await talk.say("input_audio_buffer.committed", item_id="item_1")
        async with one_at_a_time:
            text = await asyncio.get_running_loop().run_in_executor(None, transcribe, bytes(talk.pcm))
        if vllm:
            await talk.say("transcription.delta", delta=text)
            await talk.say("transcription.done", text=text, usage={"total_tokens": 7})
        else:
            await talk.say(f"{HEARD}.delta", item_id="item_1", content_index=0, delta=text)
            await talk.say(f"{HEARD}.completed", item_id="item_1", content_index=0, transcript=f" {text} ")
        await talk.hear()

    return behave


@dataclass
class Standin:
    """The address of a stand-in, and its conversations."""

    uri: str
    talks: list[Conversation] = field(default_factory=list)


@asynccontextmanager
async def realtime_server(
    behave: Behave, key: str | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Standin]:
    """Run a server on a free loopback port.

    :param key: the key that clients must show; None: none.
    """

    def refused(request: web.Request) -> bool:
        return key is not None and request.headers.get("Authorization") != f"Bearer {key}"

    async def models(request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []}, status=401 if refused(request) else 200)

    async def realtime(request: web.Request) -> web.StreamResponse:
        if refused(request):
            return web.Response(status=401)
        socket = web.WebSocketResponse(max_msg_size=1 << 20, timeout=0.1)
        await socket.prepare(request)
        talk = Conversation(socket, request)
        standin.talks.append(talk)
        try:
            await behave(talk)
        except ConnectionError:
            """The client has gone."""
        return socket

    app = web.Application()
    app.add_routes([web.get("/v1/models", models), web.get("/v1/realtime", realtime)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    standin = Standin(f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/v1")
    try:
        yield standin
    finally:
        await runner.cleanup()
