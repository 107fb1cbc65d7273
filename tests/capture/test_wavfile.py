import asyncio
import itertools
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.capture.base import Capture, Source
from irene_wyoming.capture.wavfile import SilenceSource, WavFileSource
from irene_wyoming.errors import CaptureError
from irene_wyoming.stream.feed import Feed
from tests.capture.wavs import wav

FORMATS = [AudioFormat(16_000, width, channels) for width in (1, 2, 3, 4) for channels in (1, 2)]


class Clock:
    """A clock that advances during sleeps, and a little more: a busy machine wakes late."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.now = 1000.0
        self.late_s = late_s

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds + self.late_s
        await asyncio.sleep(0)


def noise(audio_format: AudioFormat, frames: int) -> bytes:
    return random.Random(frames).randbytes(frames * audio_format.frame_bytes)


def write(folder: Path, audio_format: AudioFormat, pcm: bytes) -> Path:
    path = folder / "test.wav"
    path.write_bytes(wav(audio_format, pcm))
    return path


async def take(capture: Capture, count: int) -> list[AudioChunk]:
    reader: AsyncIterator[AudioChunk] = aiter(capture)
    return [await anext(reader) for _ in range(count)]


@pytest.mark.parametrize("audio_format", FORMATS, ids=str)
async def test_a_file_is_played_as_it_is_and_silence_follows(tmp_path: Path, audio_format: AudioFormat) -> None:
    pcm = noise(audio_format, 16_100)
    source: Source = WavFileSource(write(tmp_path, audio_format, pcm), realtime=False)
    async with source.open() as capture:
        assert capture.format == audio_format
        heard = await take(capture, 200)
    played = b"".join(chunk.pcm for chunk in heard)
    silence = b"\x80" if audio_format.width == 1 else b"\x00"
    assert played == pcm + silence * (200 * 320 * audio_format.frame_bytes - len(pcm))
    assert [chunk.start for chunk in heard] == list(range(0, 200 * 320, 320))
    assert {chunk.frames for chunk in heard} == {320}
    assert [chunk.timestamp - heard[0].timestamp for chunk in heard] == list(range(0, 4000, 20))


@pytest.mark.parametrize("frames", [1, 319, 320, 321, 16_000, 16_001, 40_003])
async def test_a_loop_has_no_gap(tmp_path: Path, frames: int) -> None:
    pcm = noise(SPEECH, frames)
    async with WavFileSource(write(tmp_path, SPEECH, pcm), loop=True, realtime=False).open() as capture:
        heard = await take(capture, 300)
    played = b"".join(chunk.pcm for chunk in heard)
    assert played == (pcm * (len(played) // len(pcm) + 1))[: len(played)]


async def test_an_hour_in_a_loop_reaches_a_listener_byte_for_byte(tmp_path: Path) -> None:
    pcm = noise(SPEECH, 50_021)
    source = WavFileSource(write(tmp_path, SPEECH, pcm), loop=True, realtime=False, chunk_ms=100)
    feed = Feed(source, linger_s=0, buffer_ms=2000)
    try:
        async with feed.listen(SPEECH, Quality.HIGH, 1600) as audio:
            at, first = 0, None
            for n in range(36_000):
                chunk = await anext(audio)
                first = chunk.timestamp if first is None else first
                assert (chunk.start, chunk.timestamp) == (n * 1600, first + n * 100)
                piece = pcm[at : at + 3200]
                assert chunk.pcm == piece + pcm[: 3200 - len(piece)]
                at = (at + 3200) % len(pcm)
            assert audio.dropped == 0
    finally:
        await feed.close()


async def test_an_hour_at_the_clocks_pace_does_not_drift_though_every_waking_is_late() -> None:
    clock = Clock(late_s=0.0173)
    async with SilenceSource(SPEECH, chunk_ms=100, clock=clock, sleep=clock.sleep).open() as capture:
        async for chunk in capture:
            due = 1000 + (chunk.start + chunk.frames) / 16_000
            assert 0 <= clock.now - due < 0.018
            assert chunk.timestamp == 1_000_000 + chunk.start // 16
            if chunk.start > 3600 * 16_000:
                break


async def test_a_chunk_is_given_out_when_its_last_frame_would_have_been_captured(tmp_path: Path) -> None:
    clock = Clock()
    path = write(tmp_path, AudioFormat(44_100, 2, 2), bytes(4 * 44_100))
    async with WavFileSource(path, chunk_ms=50, clock=clock, sleep=clock.sleep).open() as capture:
        times = [(clock.now - 1000) async for _ in _first(capture, 10)]
    assert times == pytest.approx([n * 0.05 for n in range(1, 11)])


async def _first(capture: Capture, count: int) -> AsyncIterator[AudioChunk]:
    numbers = itertools.count(1)
    async for chunk in capture:
        yield chunk
        if next(numbers) == count:
            return


async def test_real_time_is_real(tmp_path: Path) -> None:
    path = write(tmp_path, SPEECH, noise(SPEECH, 16_000))
    loop = asyncio.get_running_loop()
    begin = loop.time()
    async with WavFileSource(path).open() as capture:
        await take(capture, 10)
    assert loop.time() - begin > 0.19  # a busy machine may be late


@pytest.mark.parametrize("audio_format", FORMATS, ids=str)
async def test_silence_is_silent(audio_format: AudioFormat) -> None:
    source: Source = SilenceSource(audio_format, realtime=False)
    async with source.open() as capture:
        heard = await take(capture, 3)
    expected = (b"\x80" if audio_format.width == 1 else b"\x00") * (320 * audio_format.frame_bytes)
    assert [chunk.pcm for chunk in heard] == [expected] * 3


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), (b"hello", "not a wav file"), (wav(SPEECH, b""), "no audio in it")],
    ids=["missing", "something else", "empty"],
)
async def test_what_cannot_be_played_is_refused_by_name(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CaptureError, match=rf"bad\.wav: .*{says}"):
        async with WavFileSource(path).open():
            pass


async def test_what_is_cut_short_is_played_as_far_as_it_goes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(wav(SPEECH, b"\x01\x02" * 50)[:-50])
    async with WavFileSource(path, realtime=False).open() as capture:
        (chunk,) = await take(capture, 1)
    assert chunk.pcm[:52] == b"\x01\x02" * 25 + bytes(2)
    assert "cut.wav: cut short: 50 of 100 bytes of audio are there: played as far as it goes" in caplog.text


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="directory"):
        async with WavFileSource(tmp_path).open():
            pass


async def test_a_pipe_is_refused_and_nobody_waits_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(CaptureError, match=r"pipe\.wav: not a file, but a named pipe"):
        async with WavFileSource(tmp_path / "pipe.wav").open():
            pass


@pytest.mark.parametrize("fault", ["removed", "cut short"])
async def test_a_file_that_changes_while_it_is_played_breaks_the_capture(tmp_path: Path, fault: str) -> None:
    path = write(tmp_path, SPEECH, noise(SPEECH, 48_000))
    async with WavFileSource(path, realtime=False).open() as capture:
        await take(capture, 1)
        if fault == "removed":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:5000])
        with pytest.raises(CaptureError, match=r"test\.wav"):
            await take(capture, 200)
