"""Walk: a source's audio goes to every listener at the pace of the clock."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info

from irene_wyoming.app.mic import mic_server
from irene_wyoming.config.model import Config
from tests.conftest import SPEECH_DIR
from tests.servers.clients import read

Configured = Callable[..., Config]
WORD = SPEECH_DIR / "wake" / "okay_nabu_rms.wav"


async def listen(uri: str, chunks: int) -> tuple[AudioStart, list[AudioChunk], float]:
    """The audio-start, so many chunks, and the seconds from the first to the last of them."""
    async with AsyncClient.from_uri(uri) as client:
        start = AudioStart.from_event(await read(client))
        first = AudioChunk.from_event(await read(client))
        begun = time.monotonic()
        rest = [AudioChunk.from_event(await read(client)) for _ in range(chunks - 1)]
        return start, [first, *rest], time.monotonic() - begun


async def test_a_listener_that_says_nothing_gets_chunks_at_the_pace_of_the_clock(
    configured: Configured,
) -> None:
    config = configured(MIC__SOURCE__KIND="wavfile", MIC__SOURCE__FILE=str(WORD), MIC__SOURCE__LOOP="true")
    async with mic_server(config) as service:
        start, chunks, seconds = await listen(service.address.uri, 51)
    assert (start.rate, start.width, start.channels) == (16_000, 2, 1)
    assert {(chunk.rate, chunk.width, chunk.channels, len(chunk.audio)) for chunk in chunks} == {(16_000, 2, 1, 640)}
    stamps = [chunk.timestamp for chunk in chunks]
    assert all(stamp is not None for stamp in stamps)
    assert np.diff(np.array(stamps, float)) == pytest.approx(20, abs=1)
    assert 0.8 < seconds < 2  # 50 chunks of 20 ms


async def test_listeners_get_identical_audio_and_describe_is_answered_meanwhile(
    configured: Configured,
) -> None:
    config = configured(MIC__SOURCE__KIND="wavfile", MIC__SOURCE__FILE=str(WORD), MIC__SOURCE__LOOP="true")
    async with mic_server(config) as service, AsyncClient.from_uri(service.address.uri) as client:
        first, second, _ = await asyncio.gather(
            listen(service.address.uri, 30), listen(service.address.uri, 30), client.write_event(Describe().event())
        )
        while not Info.is_type((event := await read(client)).type):
            assert event.type in ("audio-start", "audio-chunk")
    program = Info.from_event(event).mic[0]
    assert program.mic_format.rate == 16_000
    one = {chunk.timestamp: chunk.audio for chunk in first[1]}
    two = {chunk.timestamp: chunk.audio for chunk in second[1]}
    common = one.keys() & two.keys()
    assert len(common) > 20
    assert all(one[stamp] == two[stamp] for stamp in common)


async def test_a_48_khz_stereo_source_is_heard_as_16_khz_mono(configured: Configured, tmp_path: Path) -> None:
    script = tmp_path / "tone.py"
    script.write_text(
        "import math, struct, sys, itertools\n"
        "for n in itertools.count():\n"
        "    for i in range(n * 480, (n + 1) * 480):\n"
        "        v = round(8000 * math.sin(2 * math.pi * 1000 * i / 48000))\n"
        "        sys.stdout.buffer.write(struct.pack('<hh', v, v))\n"
    )
    command = f"[{sys.executable}, {script}]"
    config = configured(
        MIC__SOURCE__KIND="command",
        MIC__SOURCE__COMMAND=command,
        MIC__SOURCE__SAMPLE_RATE="48000",
        MIC__SOURCE__CHANNELS="2",
    )
    async with mic_server(config) as service:
        _, chunks, _ = await listen(service.address.uri, 50)
    audio = np.frombuffer(b"".join(chunk.audio for chunk in chunks[-25:]), "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    assert np.argmax(spectrum) * 16_000 / len(audio) == pytest.approx(1_000, abs=5)
    assert np.sqrt(np.mean(audio**2)) == pytest.approx(8_000 / np.sqrt(2), rel=0.01)


async def test_without_a_device_it_says_so_once_and_keeps_describing_itself(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    config = configured(MIC__SOURCE__KIND="command", MIC__SOURCE__COMMAND="[no-such-recorder]", MIC__LINGER_S="0")
    async with mic_server(config) as service:
        for _ in range(3):
            async with AsyncClient.from_uri(service.address.uri) as client:
                assert AudioStart.is_type((await read(client)).type)
                await client.write_event(Describe().event())
                assert Info.is_type((await read(client)).type)
    assert caplog.text.count("no-such-recorder: no such program") == 1
