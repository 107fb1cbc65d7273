"""Walk: a source's audio goes to every listener at the pace of the clock."""

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info

from irene_wyoming.app.mic import mic_server
from irene_wyoming.config.model import Config
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from tests.conftest import SPEECH_DIR, until
from tests.servers.clients import read

Configured = Callable[..., Config]
WORD = SPEECH_DIR / "wake" / "okay_nabu_rms.wav"


async def listen(uri: str, chunks: int) -> tuple[AudioStart, list[AudioChunk], float]:
    """The audio-start, ``chunks`` chunks, and the seconds from before the connection to the last of them."""
    begun = time.monotonic()
    async with AsyncClient.from_uri(uri) as client:
        start = AudioStart.from_event(await read(client))
        heard = [AudioChunk.from_event(await read(client)) for _ in range(chunks)]
        return start, heard, time.monotonic() - begun


async def test_a_listener_that_says_nothing_gets_chunks_at_the_pace_of_the_clock(
    configured: Configured,
) -> None:
    config = configured(MIC__SOURCE__KIND="wavfile", MIC__SOURCE__FILE=str(WORD), MIC__SOURCE__LOOP="true")
    async with mic_server(config) as service:
        start, chunks, seconds = await listen(service.address.uri, 26)
    assert (start.rate, start.width, start.channels) == (16_000, 2, 1)
    assert {(chunk.rate, chunk.width, chunk.channels, len(chunk.audio)) for chunk in chunks} == {(16_000, 2, 1, 1280)}
    stamps = [chunk.timestamp for chunk in chunks]
    assert all(stamp is not None for stamp in stamps)
    assert np.diff(np.array(stamps, float)) == pytest.approx(40, abs=1)
    assert seconds > 1.0  # 26 chunks of 40 ms, the last of which has been captured


async def test_listeners_get_identical_audio_and_describe_is_answered_meanwhile(
    configured: Configured,
) -> None:
    config = configured(MIC__SOURCE__KIND="wavfile", MIC__SOURCE__FILE=str(WORD), MIC__SOURCE__LOOP="true")
    async with mic_server(config) as service, AsyncClient.from_uri(service.address.uri) as client:
        async with AsyncClient.from_uri(service.address.uri) as one, AsyncClient.from_uri(service.address.uri) as two:
            for listener in (one, two):
                assert AudioStart.is_type((await read(listener)).type)
            await client.write_event(Describe().event())
            first: dict[int | None, bytes] = {}
            second: dict[int | None, bytes] = {}
            while len(first.keys() & second.keys()) <= 20:
                for listener, heard in ((one, first), (two, second)):
                    chunk = AudioChunk.from_event(await read(listener))
                    heard[chunk.timestamp] = chunk.audio
        while not Info.is_type((event := await read(client)).type):
            assert event.type in ("audio-start", "audio-chunk")
    program = Info.from_event(event).mic[0]
    assert program.mic_format.rate == 16_000
    assert all(first[stamp] == second[stamp] for stamp in first.keys() & second.keys())


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
    configured: Configured, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("INFO")
    tried = tmp_path / "tried"
    recorder = json.dumps(["sh", "-c", f"echo >> {tried}; echo no such device >&2; exit 1"])
    config = configured(MIC__SOURCE__KIND="command", MIC__SOURCE__COMMAND=recorder, MIC__LINGER_S="0")
    async with mic_server(config) as service:
        for _ in range(3):
            tried.unlink(missing_ok=True)
            async with AsyncClient.from_uri(service.address.uri) as client:
                assert AudioStart.is_type((await read(client)).type)
                await until(tried.exists)
                await until(lambda: "no such device" in caplog.text)
                await client.write_event(Describe().event())
                assert Info.is_type((await read(client)).type)
    assert caplog.text.count("no such device") == 1


def played(configured: Configured, **changes: str) -> Config:
    """A microphone that plays the word again and again, at the pace of the clock."""
    wav = {"MIC__SOURCE__KIND": "wavfile", "MIC__SOURCE__FILE": str(WORD), "MIC__SOURCE__LOOP": "true"}
    return configured(**wav, **changes)


def audio(chunks: list[AudioChunk]) -> np.ndarray:
    return np.frombuffer(b"".join(chunk.audio for chunk in chunks), "<i2").astype(float)


async def test_extra_addresses_have_formats_of_their_own_and_share_what_is_equal(
    configured: Configured, tmp_path: Path
) -> None:
    same, wide = (f"unix://{tmp_path}/{name}" for name in ("same", "wide"))
    extra = f"[{{uri: '{same}'}}, {{uri: '{wide}', sample_rate: 48000, width: 4, channels: 2}}]"
    async with mic_server(played(configured, MIC__EXTRA=extra)) as service:
        heard = await asyncio.gather(*(listen(uri, 25) for uri in (service.address.uri, same, wide)))
        info = await describe(Address.parse(wide))
    (_, one, _), (_, two, _), (start, three, _) = heard
    assert (start.rate, start.width, start.channels) == (48_000, 4, 2)
    assert {len(chunk.audio) for chunk in three} == {1920 * 8}
    assert (info.mic[0].mic_format.rate, info.mic[0].mic_format.width) == (48_000, 4)
    first, second = ({chunk.timestamp: chunk.audio for chunk in chunks} for chunks in (one, two))
    both = first.keys() & second.keys()
    assert len(both) > 15
    assert all(first[stamp] == second[stamp] for stamp in both)


async def test_a_muted_microphone_gives_silence_and_does_not_touch_its_device(configured: Configured) -> None:
    never = {"MIC__SOURCE__KIND": "command", "MIC__SOURCE__COMMAND": "[no-such-recorder]"}
    async with mic_server(configured(**never, MIC__MUTE="true")) as service:
        _, chunks, _ = await listen(service.address.uri, 3)
    assert not audio(chunks).any()


async def test_gain_makes_it_softer_or_louder(configured: Configured) -> None:
    recorder = {"MIC__SOURCE__KIND": "command", "MIC__SOURCE__COMMAND": "[sh, -c, 'yes 4 | tr -d \"[:cntrl:]\"']"}
    async with mic_server(configured(**recorder, MIC__GAIN_DB="-6.0206")) as service:
        _, chunks, _ = await listen(service.address.uri, 3)
    assert set(audio(chunks)) == {0x3434 / 2}


async def test_a_microphone_that_is_always_on_is_open_before_anybody_listens(
    configured: Configured, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    record = "sys.stdout.buffer.write(bytes(640)); sys.stdout.flush(); time.sleep(3600)"
    script = f"import sys, time; open({str(opened)!r}, 'a').write('x'); {record}"
    recorder = {"MIC__SOURCE__KIND": "command", "MIC__SOURCE__COMMAND": json.dumps([sys.executable, "-c", script])}
    config = configured(**recorder, MIC__ALWAYS_ON="true", MIC__LINGER_S="0", MIC__SOURCE__STALL_S="60")
    async with mic_server(config) as service:
        await until(opened.exists)
        for _ in range(3):
            async with AsyncClient.from_uri(service.address.uri) as client:
                assert AudioStart.is_type((await read(client)).type)
    assert opened.read_text() == "x"


WIDE = {
    "MIC__SAMPLE_RATE": "192000",
    "MIC__WIDTH": "4",
    "MIC__CHANNELS": "8",
    "MIC__CHUNK_SIZE": "3840",
    "MIC__BUFFER_MS": "100",
    "MIC__LIMITS__WRITE_TIMEOUT_S": "0.2",
}
"""A format of 6 MB/s, which soon fills the kernel's buffer for a listener."""


async def test_a_listener_that_never_reads_loses_its_own_audio_and_nobody_elses(configured: Configured) -> None:
    lost = "irene_dropped_frames_total"
    before = REGISTRY.get_sample_value(lost, {"server": "mic"}) or 0
    config = played(configured, **WIDE)
    async with mic_server(config) as service, lazy(service.address):
        _, chunks, _ = await listen(service.address.uri, 25)
        await until(lambda: (REGISTRY.get_sample_value(lost, {"server": "mic"}) or 0) > before)
    assert np.diff([chunk.timestamp or 0 for chunk in chunks]) == pytest.approx(20, abs=1)


@asynccontextmanager
async def lazy(address: Address) -> AsyncIterator[None]:
    """A listener with the smallest buffer of the kernel, which reads nothing."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, (address.host, address.port))
        yield
