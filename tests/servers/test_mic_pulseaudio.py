"""A listener of the microphone server, and a PulseAudio that is killed under it."""

import asyncio
from collections.abc import Callable

from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient

from irene_wyoming.app.mic import mic_server
from irene_wyoming.config.model import Config
from tests.capture.conftest import PulseAudio, pulseaudio  # noqa: F401  # the fixture
from tests.servers.clients import read

ONES, TWOS = b"\x01\x01" * 160, b"\x02\x02" * 160


async def test_a_connection_outlives_the_audio_server(
    pulseaudio: PulseAudio,  # noqa: F811
    configured: Callable[..., Config],
) -> None:
    async with mic_server(configured()) as service, AsyncClient.from_uri(service.address.uri) as client:
        async with pulseaudio.spoken(ONES):
            before = await hears(client, b"\x01\x01")
        await pulseaudio.stop()
        await pulseaudio.start()
        async with pulseaudio.spoken(TWOS):
            after = await hears(client, b"\x02\x02")
        assert after > before


async def hears(client: AsyncClient, sample: bytes) -> int:
    """Read on until a chunk has this in it; its timestamp."""
    async with asyncio.timeout(20):
        while True:
            event = await read(client)
            if AudioChunk.is_type(event.type):
                chunk = AudioChunk.from_event(event)
                if sample * 16 in chunk.audio:
                    assert chunk.timestamp is not None
                    return chunk.timestamp
