"""A household's own models come and go while a satellite streams. Real engines, files, sockets, child processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from wyoming.wake import Detect, Detection

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.wire.hear import Recording
from tests.engines.wake.models import OWN_WORD, USELESS, put_micro
from tests.servers.clients import answers, audio_start, chunks, read

Speech = Callable[[str], Recording]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The server's folder for models, which the server makes."""
    return tmp_path / "wake" / "openwakeword"


@pytest.fixture
async def uri(configured: Callable[..., Config], tmp_path: Path) -> AsyncIterator[str]:
    async with wake_server(configured(DATA_DIR=str(tmp_path))) as service:
        yield service.address.uri


async def words(uri: str) -> list[list[str]]:
    """The words of each program."""
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Describe().event())
        return [[model.name for model in program.models] for program in Info.from_event(await read(client)).wake]


async def offered(uri: str, word: str, *, there: bool = True) -> None:
    """Wait until a hub sees a word, or sees it no more."""
    async with asyncio.timeout(60):
        while (word in (await words(uri))[0]) is not there:  # noqa: ASYNC110  # a hub has nothing to wait for
            await asyncio.sleep(0.02)


async def hear(uri: str, recording: Recording, word: str) -> list[str]:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Detect(names=[word]).event())
        for chunk in chunks(recording, 80):
            await client.write_event(chunk.event())
        return [event.data["name"] for event in await answers(client) if Detection.is_type(event.type)]


async def test_words_come_and_go_while_a_stream_goes_on(uri: str, folder: Path, tmp_path: Path, speech: Speech) -> None:
    recording = speech("wake/hey_jarvis_slt")
    async with AsyncClient.from_uri(uri) as live:
        await live.write_event(Detect(names=["hey_jarvis"]).event())
        await live.write_event(audio_start(recording).event())
        quiet = AudioChunk(rate=16_000, width=2, channels=1, audio=bytes(2560)).event()
        await live.write_event(quiet)
        await asyncio.to_thread((folder / "hey_zelda.tflite").write_bytes, OWN_WORD)
        await asyncio.to_thread(put_micro, tmp_path / "wake" / "microwakeword", "hey_yoda")
        await offered(uri, "hey_zelda")
        await offered(uri, "hey_yoda")
        own_programs = (await words(uri))[1:]
        assert "hey_zelda" in own_programs[0]
        assert "hey_yoda" in own_programs[1]
        assert await hear(uri, recording, "hey_zelda") == ["hey_zelda"]
        assert await hear(uri, recording, "hey_yoda") == ["hey_yoda"]
        await asyncio.to_thread((folder / "hey_zelda.tflite").unlink)
        await offered(uri, "hey_zelda", there=False)
        assert await answers(live) == []
        for chunk in chunks(recording, 80):
            await live.write_event(chunk.event())
        assert [event.data["name"] for event in await answers(live)] == ["hey_jarvis"]


async def test_a_live_stream_keeps_the_model_that_is_removed(uri: str, folder: Path, speech: Speech) -> None:
    recording = speech("wake/hey_jarvis_slt")
    await asyncio.to_thread((folder / "hey_zelda.tflite").write_bytes, OWN_WORD)
    await offered(uri, "hey_zelda")
    async with AsyncClient.from_uri(uri) as live:
        await live.write_event(Detect(names=["hey_zelda"]).event())
        sent = [chunk.event() for chunk in chunks(recording, 80)]
        for event in sent[:5]:
            await live.write_event(event)
        assert await answers(live) == []
        await asyncio.to_thread((folder / "hey_zelda.tflite").unlink)
        await offered(uri, "hey_zelda", there=False)
        for event in sent[5:]:
            await live.write_event(event)
        assert [event.data["name"] for event in await answers(live)] == ["hey_zelda"]


async def test_useless_files_leave_the_server_as_it_is(uri: str, folder: Path, speech: Speech) -> None:
    """One of the files crashes the process that runs it."""
    for name, (content, _) in USELESS.items():
        await asyncio.to_thread((folder / f"{name}.tflite").write_bytes, content)
    await asyncio.to_thread((folder / "zelda.tflite").write_bytes, OWN_WORD)
    await offered(uri, "zelda")
    assert not {*USELESS} & {*(await words(uri))[0]}
    assert await hear(uri, speech("wake/alexa_slt"), "alexa") == ["alexa"]


async def test_a_hub_is_answered_while_a_model_is_tried_out(uri: str, folder: Path) -> None:
    before = time.monotonic()
    await asyncio.to_thread((folder / "zelda.tflite").write_bytes, OWN_WORD)
    asked = 0
    while "zelda" not in (await words(uri))[0]:
        asked += 1
        assert time.monotonic() - before < 60, "the word was never offered"
    assert asked > 3
