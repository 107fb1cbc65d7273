"""A server that is drained: which clients are refused, which may end, and when."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress

import numpy as np
import pytest
from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient
from wyoming.event import Event, Eventable

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.front import front_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.serving import free_port, ready
from irene_wyoming.config.model import Config
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.servers.lull import Lull
from irene_wyoming.servers.satellites import Satellites
from irene_wyoming.servers.service import Service
from irene_wyoming.servers.wake import WakeRole
from irene_wyoming.servers.wake_service import WakeService
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording
from irene_wyoming.wire.proxy import SIGNATURE
from tests.conftest import until
from tests.servers.clients import asked, audio_start, chunks, is_closed, read
from tests.servers.test_lag import Stuck

Configured = Callable[..., Config]

PATIENT = {"SUPERVISE__DRAIN_S": "60", "SUPERVISE__STOP_TIMEOUT_S": "120"}
"""Settings with which nothing ends by running out of time."""


def noise(seconds: float, level: float = 30.0) -> bytes:
    samples = np.random.default_rng(7).normal(scale=level, size=round(seconds * SPEECH.rate))
    return np.rint(samples).astype("<i2").tobytes()


async def test_new_clients_are_told_to_go_elsewhere_while_a_command_is_finished(
    configured: Configured, speech: Callable[[str], Recording]
) -> None:
    recording = speech("asr/set_a_timer_for_five_minutes")
    async with asr_server(configured(**PATIENT)) as service, AsyncClient.from_uri(service.address.uri) as speaking:
        await speaking.write_event(Event("transcribe"))
        await until(lambda: service.connections == 1)
        draining = asyncio.create_task(service.drain())
        assert "connect again to reach another one (draining)" in await refused(service.address)
        await speaking.write_event(audio_start(recording).event())
        for chunk in chunks(recording, 100):
            await speaking.write_event(chunk.event())
        await speaking.write_event(Event("audio-stop"))
        assert (await read(speaking)).data["text"] == "set a timer for five minutes"
        await speaking.disconnect()
        await draining
        assert service.connections == 0


async def begun(service: Service, client: AsyncClient) -> None:
    await client.write_event(Event("detect", {"names": ["okay_nabu"]}))
    await client.write_event(Event("audio-start", {"rate": 16_000, "width": 2, "channels": 1}))
    await client.write_event(Event("ping"))
    assert (await read(client)).type == "pong"
    assert service.connections >= 1


async def said(client: AsyncClient, pcm: bytes) -> None:
    """Speak at the pace of speech, as the server may end the conversation within it."""
    for chunk in chunks(Recording(SPEECH, pcm), 60):
        await client.write_event(chunk.event())
        await asyncio.sleep(0.06)


@pytest.mark.parametrize("through_front", [False, True])
async def test_a_satellite_is_let_go_behind_its_word_and_without_a_detection(
    configured: Configured, speech: Callable[[str], Recording], *, through_front: bool
) -> None:
    word = speech("wake/okay_nabu_kal16").pcm
    config = configured(**PATIENT, WAKE__IDLE_GATE="false")
    async with wake_server(config) as wake, front_server(config, {"wake": wake.address}) as front:
        service = front if through_front else wake
        client = AsyncClient.from_uri(service.address.uri)
        await client.connect()
        await begun(wake, client)
        half = len(word) // 4 * 2
        await said(client, word[:half])
        draining = asyncio.gather(wake.drain(), front.drain())
        speaking = asyncio.create_task(said(client, word[half:] + noise(3)))
        assert (await read(client)).data["name"] == "okay_nabu"
        assert await is_closed(client)
        speaking.cancel()
        await client.disconnect()
        await draining


async def test_a_stream_that_brings_nothing_is_at_a_pause(configured: Configured) -> None:
    async with wake_server(configured(**PATIENT)) as service, AsyncClient.from_uri(service.address.uri) as client:
        await begun(service, client)
        async with asyncio.timeout(30):
            draining = asyncio.create_task(service.drain())
            assert await is_closed(client)
            await client.disconnect()
            await draining


async def test_proxies_are_told_first_and_what_they_send_is_served(configured: Configured) -> None:
    config = configured(
        ASR__ACCESS__PROXIES="[127.0.0.0/8]", SUPERVISE__NOTICE_S="500", SUPERVISE__STOP_TIMEOUT_S="600"
    )
    async with asr_server(config) as service:
        draining = asyncio.create_task(service.drain())
        check = SIGNATURE + b"\x20\x00\x00\x00"
        while (answer := await asked(service.address, check)).type == "info":
            pass
        assert answer.data["code"] == "draining"
        client = SIGNATURE + b"\x21\x11\x00\x0c" + bytes((10, 0, 0, 7, 10, 0, 0, 1, 0, 1, 0, 2))
        assert (await asked(service.address, client)).type == "info"
        draining.cancel()


async def refused(address: Address) -> str:
    """Wait until a server describes itself no more; gives its reason."""
    while True:
        try:
            await describe(address)
        except ServerUnavailable as error:
            return str(error)


@pytest.mark.parametrize(
    ("pcm", "pauses"),
    [
        (noise(1), True),
        (bytes(2 * 16_000), True),
        (noise(0.3) + noise(0.3, 3_000) + noise(0.5), False),
        (noise(0.3) + noise(0.3, 3_000) + noise(0.9), True),
        (noise(1) + noise(0.3, 3_000), False),
    ],
)
async def test_a_pause_is_sound_that_stays_the_same(pcm: bytes, *, pauses: bool) -> None:
    lull = Lull(SPEECH)
    lull.heard(pcm[:1001])
    lull.heard(pcm[1001:])
    waiting = asyncio.create_task(lull.wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert waiting.done() is lull.lasts is pauses
    waiting.cancel()


class Nobody:
    """A peer of a role that is told everything and says nothing."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def send(self, event: Event | Eventable) -> None:
        self.told.append((event if isinstance(event, Event) else event.event()).type)

    async def send_encoded(self, encoded: bytes) -> None:
        self.told.append(encoded.decode())

    def spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=name)

    def hurry(self) -> None:
        """Nothing is waited for."""


async def test_a_word_that_begins_while_the_engine_is_behind_keeps_its_stream(configured: Configured) -> None:
    engine, peer = Stuck(), Nobody()
    async with Worker("stuck") as worker:
        role = WakeRole(listening(configured, engine, worker, max_lag_s=60), peer)
        await hear(role, noise(0.1))
        pausing = asyncio.create_task(role.pause())
        await asyncio.sleep(0)
        await hear(role, noise(1))  # the pause, of which the engine has not heard yet
        await asyncio.sleep(0)
        await hear(role, noise(0.3, 3_000))  # the word's beginning
        engine.let.set()
        await role.on_event(Event("ping"))
        assert peer.told[-1] == "pong"
        await asyncio.sleep(0)
        assert not pausing.done()
        await hear(role, noise(1))
        assert await pausing
        await role.close()


async def test_an_engine_that_never_catches_up_keeps_no_stream(configured: Configured) -> None:
    engine = Stuck()
    async with Worker("stuck") as worker:
        role = WakeRole(listening(configured, engine, worker, max_lag_s=0.05), Nobody())
        await hear(role, noise(0.1))
        pausing = asyncio.create_task(role.pause())
        await asyncio.sleep(0)
        await hear(role, noise(1))
        assert await pausing
        engine.let.set()
        await role.close()


def listening(configured: Configured, engine: Stuck, worker: Worker, max_lag_s: float) -> WakeService:
    """What conversations with a server of this engine share."""
    audio, satellites = configured().wake.audio, Satellites({}, {})
    return WakeService({"stuck": engine}, ["word"], audio, "fast", worker, satellites, max_lag_s=max_lag_s)


async def hear(role: WakeRole, pcm: bytes) -> None:
    """Give a role audio faster than it is spoken."""
    for chunk in chunks(Recording(SPEECH, pcm), 60):
        await role.on_event(chunk.event())


async def test_a_second_sigterm_ends_at_once_and_with_0() -> None:
    """The speaker never stops, so the server would wait for minutes."""
    address = Address("127.0.0.1", free_port())
    settings = {f"IRENE_WYOMING__{name}": value for name, value in PATIENT.items()} | {
        "IRENE_WYOMING__WAKE__URI": address.uri,
        "IRENE_WYOMING__METRICS__ENABLED": "false",
        "IRENE_WYOMING__DISCOVERY__ZEROCONF": "false",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "irene_wyoming", "wake", env=os.environ | settings
    )
    try:
        await ready(address, process)
        client = AsyncClient.from_uri(address.uri)
        await client.connect()
        await client.write_event(Event("detect", {"names": ["okay_nabu"]}))
        talking = asyncio.create_task(talked(client))
        await client.write_event(Event("ping"))
        while (await read(client)).type != "pong":
            pass
        ended = asyncio.create_task(process.wait())
        while not ended.done():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)  # process.send_signal may take the exit code from the event loop
            await asyncio.wait([ended], timeout=0.2)
        assert await ended == 0
        await talking
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def talked(client: AsyncClient) -> None:
    """Send sound that changes all the time, until the server has gone."""
    chance = np.random.default_rng(3)
    with suppress(OSError):
        while True:
            pcm = np.rint(chance.normal(scale=10 ** chance.uniform(1, 4), size=960)).clip(-32_768, 32_767)
            await client.write_event(AudioChunk(16_000, 2, 1, pcm.astype("<i2").tobytes()).event())
            await asyncio.sleep(0.06)
    with suppress(OSError):
        await client.disconnect()
