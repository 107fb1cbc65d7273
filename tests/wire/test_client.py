"""The client's side against servers that say anything."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.errors import LimitExceeded, ServerUnavailable
from irene_wyoming.wire import hear
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording, detect, transcribe

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SPOKEN = Recording(SPEECH, bytes(3_200))


@asynccontextmanager
async def stranger(talk: Talk) -> AsyncIterator[Address]:
    """A server that talks as it likes."""

    talks: set[asyncio.Task[None]] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            talks.add(task)
        with suppress(OSError):
            await talk(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(served, "127.0.0.1")
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.gather(*talks)


def event(kind: str, data: Any = None) -> bytes:
    return json.dumps({"type": kind, "data": data or {}}).encode() + b"\n"


def saying(*events: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(events))
        while await reader.read(4096):
            pass

    return talk


async def talkative(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says something for ever, and never what is waited for."""
    while True:
        writer.write(event("transcript-chunk", {"text": "x"}) + event("detection", {"name": "x"}))
        await writer.drain()
        await asyncio.sleep(0.01)


MODEL = {"name": "m", "attribution": {"name": "", "url": ""}, "installed": True, "description": "", "version": "1"}


@pytest.mark.parametrize(
    "data",
    [
        {"asr": [{"name": 5, "models": "x"}], "wake": {"a": 1}, "mic": [None]},
        {"asr": [{**MODEL, "models": [{**MODEL, "languages": 5}]}]},
        {"wake": [{**MODEL, "models": [{**MODEL, "name": None, "languages": []}]}]},
        {"mic": [{**MODEL, "mic_format": {"rate": "16000", "width": 2, "channels": 1}}]},
    ],
)
async def test_an_info_of_another_form_is_told_in_words(data: Any) -> None:
    async with stranger(saying(event("info", data))) as address:
        with pytest.raises(ServerUnavailable, match="does not describe itself: its Info lacks what the protocol asks"):
            await describe(address)


async def test_detections_of_any_form_are_taken() -> None:
    odd = event("detection", {"name": "x\x1b[2J", "timestamp": "1", "context": [1]})
    async with stranger(saying(odd, event("not-detected"))) as address:
        words, _ = await detect(address, SPOKEN)
    assert [(word.name, word.timestamp_ms, word.score) for word in words] == [("x[2J", None, None)]


@pytest.mark.parametrize("ask", [detect, transcribe])
async def test_a_server_that_never_comes_to_an_end_is_left(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[Address, Recording], Awaitable[Any]]
) -> None:
    monkeypatch.setattr(hear, "ANSWER_TIMEOUT_S", 0.5)
    async with stranger(talkative) as address:
        with pytest.raises(LimitExceeded, match="has not come to an end within 1 s"):
            await ask(address, SPOKEN)
