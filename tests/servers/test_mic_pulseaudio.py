"""A listener of the microphone server, and a PulseAudio that is killed under it."""

import asyncio
from collections.abc import Callable

import numpy as np
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
            before = await hears(client, 0x0101)
        await pulseaudio.stop()
        await pulseaudio.start()
        async with pulseaudio.spoken(TWOS):
            after = await hears(client, 0x0202)
        assert after > before


async def hears(client: AsyncClient, sample: int) -> int:
    """Read until most of a chunk has about this value, since sound systems resample; gives its timestamp."""
    async with asyncio.timeout(60):
        while True:
            event = await read(client)
            if AudioChunk.is_type(event.type):
                chunk = AudioChunk.from_event(event)
                if abs(np.median(np.frombuffer(chunk.audio, "<i2")) - sample) <= 0.02 * sample:
                    assert chunk.timestamp is not None
                    return chunk.timestamp
