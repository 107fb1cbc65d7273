from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.stream.fanout import Subscription
from irene_wyoming.stream.shared import SharedStream

CD = AudioFormat(44_100, 2, 2)
STUDIO = AudioFormat(48_000, 3, 2)
BYTES = AudioFormat(8_000, 1, 1)


def noise(audio_format: AudioFormat, seconds: float, seed: int = 1) -> bytes:
    """Loud noise, in which any difference between two conversions shows."""
    samples = round(audio_format.rate * seconds) * audio_format.channels
    return np.random.default_rng(seed).integers(0, 256, samples * audio_format.width, dtype=np.uint8).tobytes()


def chunks(audio_format: AudioFormat, pcm: bytes, frames: int, *, start: int = 0, ms: int = 0) -> Iterator[AudioChunk]:
    """Cut a recording into chunks; ``ms`` is the time of its first frame."""
    step = frames * audio_format.frame_bytes
    for at in range(0, len(pcm), step):
        frame = audio_format.frames(at)
        yield AudioChunk(audio_format, pcm[at : at + step], start + frame, ms + frame * 1000 // audio_format.rate)


def publish(stream: SharedStream, recording: Iterable[AudioChunk]) -> None:
    for chunk in recording:
        stream.publish(chunk)


async def rest(subscription: Subscription[AudioChunk]) -> list[AudioChunk]:
    return [chunk async for chunk in subscription]


def joined(heard: Iterable[AudioChunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in heard)


async def test_the_same_format_passes_as_the_same_bytes_object() -> None:
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=10, chunk_frames=320)
    whole = stream.view(SPEECH, Quality.HIGH, capacity=10)
    chunk = AudioChunk(SPEECH, noise(SPEECH, 0.02), 0, 5)
    stream.publish(chunk)
    assert (await anext(reader)).pcm is chunk.pcm
    assert await anext(whole) == chunk


@pytest.mark.parametrize("source", [SPEECH, CD, STUDIO, BYTES], ids=str)
async def test_views_hear_the_conversion_of_the_whole_recording(source: AudioFormat) -> None:
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=1000)
    recording = noise(source, 1.0)
    publish(stream, chunks(source, recording, source.rate // 50))
    stream.close()
    converter = Converter(source, SPEECH, Quality.HIGH)
    assert joined(await rest(reader)) == converter.push(recording) + converter.flush()


@pytest.mark.parametrize("frames", [1, 160, 320, 1000, 16_000])
async def test_every_chunk_has_the_size_that_was_asked_for(frames: int) -> None:
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=100_000, chunk_frames=frames)
    publish(stream, chunks(CD, noise(CD, 1.1), 777))
    stream.close()
    heard = await rest(reader)
    assert {chunk.frames for chunk in heard} == {frames}
    assert [chunk.start for chunk in heard] == [frames * n for n in range(len(heard))]
    assert 17_600 <= sum(chunk.frames for chunk in heard) < 17_600 + frames


async def test_equal_views_share_one_conversion_and_one_chunk() -> None:
    stream = SharedStream()
    readers = [stream.view(SPEECH, Quality.HIGH, capacity=99, chunk_frames=320) for _ in range(8)]
    other = stream.view(SPEECH, Quality.HIGH, capacity=99, chunk_frames=160)
    assert (stream.views, stream.readers) == (2, 9)
    publish(stream, chunks(CD, noise(CD, 0.5), 441))
    first, *more = [[await anext(reader) for _ in range(reader.queued)] for reader in readers]
    assert first
    assert all(len(heard) == len(first) for heard in more)
    assert all(a is b for heard in more for a, b in zip(first, heard, strict=True))
    other.close()
    assert stream.views == 1


async def test_a_view_ends_with_its_last_reader_and_starts_fresh() -> None:
    stream = SharedStream()
    recording = noise(CD, 0.2)
    with stream.view(SPEECH, Quality.HIGH, capacity=99), stream.view(SPEECH, Quality.HIGH, capacity=99):
        publish(stream, chunks(CD, noise(CD, 0.3, seed=2), 441))
        assert stream.views == 1
    assert (stream.views, stream.readers) == (0, 0)
    with stream.view(SPEECH, Quality.HIGH, capacity=99) as reader:
        publish(stream, chunks(CD, recording, 441))
        stream.close()
        converter = Converter(CD, SPEECH, Quality.HIGH)
        assert joined(await rest(reader)) == converter.push(recording) + converter.flush()


@pytest.mark.parametrize("source", [SPEECH, CD, STUDIO, BYTES], ids=str)
async def test_timestamps_are_times_of_capture_whatever_was_held_back(source: AudioFormat) -> None:
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=1000, chunk_frames=320)
    publish(stream, chunks(source, noise(source, 3.0), source.rate // 100, ms=1_000_000))
    heard = [await anext(reader) for _ in range(reader.queued)]
    assert len(heard) > 140
    for chunk in heard:  # 20 ms each; the source's stamps are whole ms, rounded down
        assert chunk.timestamp - 1_000_000 - chunk.start // 16 in (-1, 0)


@pytest.mark.parametrize("source", [SPEECH, CD, AudioFormat(48_000, 2, 1)], ids=str)
async def test_a_click_is_stamped_with_the_time_at_which_it_was_captured(source: AudioFormat) -> None:
    recording = np.zeros((source.rate * 2, source.channels), "<i2")
    recording[round(source.rate * 1.234)] = 30_000
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=1000, chunk_frames=320)
    publish(stream, chunks(source, recording.tobytes(), source.rate // 50, ms=5000))
    stream.close()
    heard = await rest(reader)
    loudest = max(heard, key=lambda chunk: int(np.abs(np.frombuffer(chunk.pcm, "<i2").astype(int)).max()))
    inside = int(np.abs(np.frombuffer(loudest.pcm, "<i2").astype(int)).argmax())
    assert loudest.timestamp + inside / 16 == pytest.approx(6234, abs=1.1)


async def test_timestamps_follow_a_sound_card_whose_clock_drifts() -> None:
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=10_000, chunk_frames=1600)
    silence = bytes(BYTES.frame_bytes * 800)
    for n in range(6000):  # 100 ms each, but the card takes 100.02 ms
        stream.publish(AudioChunk(BYTES, silence, n * 800, n * 10_002 // 100))
    heard = [await anext(reader) for _ in range(reader.queued)]
    assert all(abs(chunk.timestamp - chunk.start * 1.0002 / 16) <= 2 for chunk in heard)


async def test_a_gap_in_the_source_shows_as_a_gap_and_nothing_before_it_is_lost() -> None:
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=1000, chunk_frames=320)
    before, after = noise(CD, 1.01), noise(CD, 0.5, seed=2)
    publish(stream, chunks(CD, before, 441, ms=7000))
    publish(stream, chunks(CD, after, 441, start=44_541 + 88_200, ms=7000 + 3010))  # 2 s are missing
    stream.close()
    heard = await rest(reader)
    jump = next(n for n in range(1, len(heard)) if heard[n].start != heard[n - 1].start + 320)
    assert heard[jump].timestamp == 10_010
    assert heard[jump].start == pytest.approx(3.01 * 16_000, abs=16)
    converter = Converter(CD, SPEECH, Quality.HIGH)
    expected = converter.push(before) + converter.flush()
    assert joined(heard[:jump])[: len(expected)] == expected
    assert not any(joined(heard[:jump])[len(expected) :])
    assert len(joined(heard[:jump])) - len(expected) < 640
    assert joined(heard[jump:]).startswith(Converter(CD, SPEECH, Quality.HIGH).push(after)[:6400])


async def test_a_source_that_comes_back_in_another_format_goes_on_in_the_readers() -> None:
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=1000, chunk_frames=320)
    first, second = noise(CD, 0.5), noise(STUDIO, 0.5)
    publish(stream, chunks(CD, first, 441, ms=1000))
    stream.interrupt()
    publish(stream, chunks(STUDIO, second, 480, ms=4000))
    stream.close()
    heard = await rest(reader)
    assert {chunk.format for chunk in heard} == {SPEECH}
    later = [chunk for chunk in heard if chunk.timestamp >= 4000]
    converter = Converter(STUDIO, SPEECH, Quality.HIGH)
    assert joined(later).startswith(converter.push(second) + converter.flush())
    assert later[0].start == pytest.approx(3 * 16_000, abs=16)
    starts = [chunk.start for chunk in heard]
    assert starts == sorted(starts)


async def test_silence_that_fills_up_8_bit_is_the_middle_of_its_range() -> None:
    stream = SharedStream()
    reader = stream.view(BYTES, Quality.HIGH, capacity=1000, chunk_frames=100)
    stream.publish(AudioChunk(BYTES, b"\x01" * 30, 0, 0))
    stream.interrupt()
    assert (await anext(reader)).pcm == b"\x01" * 30 + b"\x80" * 70


async def test_a_slow_reader_sees_what_it_lost_in_start_and_timestamp() -> None:
    stream = SharedStream()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=5, chunk_frames=320)
    publish(stream, chunks(SPEECH, noise(SPEECH, 1.0), 320))
    heard = await anext(reader)
    assert (heard.start, heard.timestamp, reader.dropped) == (45 * 320, 900, 45)


async def test_a_closed_stream_can_be_closed_and_read_again() -> None:
    stream = SharedStream()
    stream.close()
    stream.close()
    reader = stream.view(SPEECH, Quality.HIGH, capacity=1)
    stream.publish(AudioChunk(SPEECH, bytes(640), 0, 0))
    assert await rest(reader) == []
    assert stream.views == 0


async def test_sixteen_readers_of_a_view_share_one_conversion() -> None:
    stream = SharedStream()
    readers = [stream.view(SPEECH, Quality.HIGH, capacity=100, chunk_frames=320) for _ in range(16)]
    publish(stream, chunks(CD, noise(CD, 0.5), 882))
    stream.close()
    first, *others = [await rest(reader) for reader in readers]
    assert len(first) == 25
    for heard in others:
        assert all(chunk is same for chunk, same in zip(heard, first, strict=True))
    stats = stream.stats()
    assert (stats.cache_misses, stats.cache_hits, stats.cache_size) == (1, 15, 1)
    assert stats.hit_rate == 15 / 16


async def test_a_reader_that_comes_after_the_view_has_ended_begins_a_new_one() -> None:
    stream = SharedStream()
    with stream.view(SPEECH, Quality.HIGH, capacity=1), stream.view(SPEECH, Quality.FAST, capacity=1):
        pass
    with stream.view(SPEECH, Quality.HIGH, capacity=1):
        stats = stream.stats()
    assert (stats.cache_misses, stats.cache_hits, stats.cache_size) == (3, 0, 1)
