import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.capture.base import Source
from irene_wyoming.capture.watchdog import MuteDetector, WatchedSource
from irene_wyoming.errors import CaptureError
from irene_wyoming.stream.feed import Feed


class HangingSource:
    """Delivers some chunks, then hangs for ever."""

    name = "test microphone"
    format = SPEECH

    def __init__(self, chunks: int) -> None:
        self._chunks = chunks
        self.opened = 0
        self.open_now = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["HangingSource"]:
        self.opened += 1
        self.open_now += 1
        try:
            yield self
        finally:
            self.open_now -= 1

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        for n in range(self._chunks):
            yield AudioChunk(SPEECH, bytes(640), n * 320, n * 20)
        await asyncio.Event().wait()


async def everything(source: Source) -> Sequence[AudioChunk]:
    async with asyncio.timeout(60), source.open() as capture:
        return [chunk async for chunk in capture]


@pytest.mark.parametrize(("chunks", "says"), [(0, "nothing for 0.02 s"), (3, "nothing for 0.01 s")])
async def test_a_device_that_delivers_nothing_is_broken_and_closed(chunks: int, says: str) -> None:
    hanging = HangingSource(chunks)
    with pytest.raises(CaptureError, match=says):
        await everything(WatchedSource(hanging, stall_s=0.01, first_audio_s=0.02))
    assert hanging.open_now == 0


async def test_it_is_opened_anew_and_its_listener_hears_on() -> None:
    hanging = HangingSource(chunks=3)
    watched = WatchedSource(hanging, stall_s=0.01)
    feed = Feed(watched, linger_s=0, buffer_ms=2000, retry_s=0.001, retry_max_s=0.001)
    try:
        async with asyncio.timeout(60), feed.listen(SPEECH, Quality.HIGH, 320) as audio:
            for _ in range(9):
                await anext(audio)
        assert hanging.opened >= 3
    finally:
        await feed.close()


@pytest.mark.parametrize(("width", "silence"), [(1, b"\x80"), (2, b"\0"), (3, b"\0")])
def test_digital_silence_is_warned_of_once_and_its_end_is_told(
    width: int, silence: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    form = AudioFormat(16_000, width, 1)
    mute = MuteDetector("test microphone", muted_s=1)
    quiet = AudioChunk(form, silence * 320 * width, 0, 0)
    noise = AudioChunk(form, quiet.pcm[:-1] + b"\x01", 0, 0)
    for chunk in [*[quiet] * 49, noise, *[quiet] * 49]:
        mute.heard(chunk)
    assert not caplog.records
    for chunk in [*[quiet] * 100, noise, noise]:
        mute.heard(chunk)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
