import asyncio
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.batch.converter import AudioFormatConverter
from irene_wyoming.batch.data import AudioData
from irene_wyoming.batch.methods import ConversionMethod
from irene_wyoming.errors import UnsupportedFormat
from tests.batch.recordings import at_once, chunks, noise, recording

CD = AudioFormat(44_100, 2, 2)
STUDIO = AudioFormat(48_000, 3, 1)
LONG = AudioFormat(96_000, 4, 8)  # 3 MB a second
METHOD = ConversionMethod.ADAPTIVE


async def test_rate_channels_and_format_change_where_told() -> None:
    audio = recording(STUDIO, 0.3)
    same = await AudioFormatConverter.convert_audio_data(audio)
    assert (same.data, same.audio_format) == (audio.data, STUDIO)
    result = await AudioFormatConverter.convert_audio_data(audio, 16_000, 2, "pcm16")
    assert result.audio_format == AudioFormat(16_000, 2, 2)
    assert result.data == at_once(audio.data, STUDIO, AudioFormat(16_000, 2, 2), METHOD)


async def test_a_format_that_is_not_accepted_is_refused() -> None:
    with pytest.raises(UnsupportedFormat, match="format 'opus'"):
        await AudioFormatConverter.convert_audio_data(recording(CD, 0.1), target_format="opus")


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("method", ConversionMethod, ids=str)
async def test_chunks_of_a_stream_join_to_the_conversion_of_the_whole(method: ConversionMethod, parallel: bool) -> None:
    whole = recording(CD, 1.01)
    stream = chunks(whole, 0.02)
    result = await AudioFormatConverter.convert_audio_data_streaming(
        stream, 16_000, target_channels=1, method=method, parallel_processing=parallel
    )
    assert b"".join(chunk.data for chunk in result) == at_once(whole.data, CD, SPEECH, method)
    assert [chunk.timestamp for chunk in result] == [chunk.timestamp for chunk in stream]
    assert [chunk.metadata for chunk in result] == [chunk.metadata for chunk in stream]
    assert {len(chunk.data) for chunk in result[:-1]} == {640}


async def test_a_long_stream_in_parallel_equals_the_sequential_one() -> None:
    stream = chunks(recording(LONG, 1.2), 0.1)
    one = await AudioFormatConverter.convert_audio_data_streaming(stream, 16_000)
    many = await AudioFormatConverter.convert_audio_data_streaming(stream, 16_000, parallel_processing=True)
    assert many == one


async def test_bytes_of_a_frame_may_be_spread_over_chunks() -> None:
    whole = noise(CD, 0.1)
    stream = [AudioData(whole[at : at + 1001], at, 44_100, 2) for at in range(0, len(whole), 1001)]
    result = await AudioFormatConverter.convert_audio_data_streaming(stream, 16_000)
    assert b"".join(chunk.data for chunk in result) == at_once(whole, CD, AudioFormat(16_000, 2, 2), METHOD)


async def test_no_chunks_give_no_chunks() -> None:
    assert await AudioFormatConverter.convert_audio_data_streaming([], 16_000) == []


async def test_a_stream_that_changes_its_format_is_refused() -> None:
    stream = [recording(CD, 0.1), recording(STUDIO, 0.1)]
    with pytest.raises(UnsupportedFormat, match="chunk 1: 48000 Hz 24 bit mono, but the stream began with 44100 Hz"):
        await AudioFormatConverter.convert_audio_data_streaming(stream, 16_000)


async def test_many_streams_keep_their_order_and_do_not_mix() -> None:
    streams = [chunks(recording(form, 0.5, seed), 0.1) for seed, form in enumerate([CD, STUDIO, CD, CD, STUDIO])]
    results = await AudioFormatConverter.convert_streams([*streams, []], 16_000)
    for stream, result in zip(streams, results[:-1], strict=True):
        assert result == await AudioFormatConverter.convert_audio_data_streaming(stream, 16_000)
    assert results[-1] == []


async def test_a_bad_stream_is_refused_before_any_is_converted() -> None:
    streams = [chunks(recording(CD, 0.1), 0.1), [recording(CD, 0.1), recording(STUDIO, 0.1)]]
    with pytest.raises(UnsupportedFormat, match="chunk 1"):
        await AudioFormatConverter.convert_streams(streams, 16_000)


@pytest.mark.parametrize("parallel", [False, True])
async def test_a_file_is_converted_as_a_whole(tmp_path: Path, parallel: bool) -> None:
    pcm = noise(LONG, 1.1)
    path, result = tmp_path / "long.raw", tmp_path / "speech.raw"
    await asyncio.to_thread(path.write_bytes, pcm)
    with await asyncio.to_thread(path.open, "rb") as source, await asyncio.to_thread(result.open, "wb") as target:
        frames = await AudioFormatConverter.convert_file(source, target, LONG, SPEECH, parallel_processing=parallel)
    assert frames == 17_600
    assert await asyncio.to_thread(result.read_bytes) == at_once(pcm, LONG, SPEECH, METHOD)


async def test_pieces_that_are_no_file_are_converted_too() -> None:
    pcm = noise(CD, 0.2)
    target = io.BytesIO()
    await AudioFormatConverter.convert_file(
        [pcm[:1001], pcm[1001:]], target, CD, SPEECH, method=ConversionMethod.LINEAR
    )
    assert target.getvalue() == at_once(pcm, CD, SPEECH, ConversionMethod.LINEAR)


@pytest.mark.parametrize("parallel", [False, True])
async def test_a_cancelled_conversion_ends_its_threads(parallel: bool) -> None:
    begun = threading.Event()

    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1 << 20)
            begun.set()

    threads = {thread for thread in threading.enumerate() if thread.name.startswith("convert")}
    task = asyncio.create_task(
        AudioFormatConverter.convert_file(endless(), io.BytesIO(), CD, SPEECH, parallel_processing=parallel)
    )
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert {thread for thread in threading.enumerate() if thread.name.startswith("convert")} == threads


async def test_an_error_of_the_source_is_the_callers() -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(100)
        raise OSError("the card was pulled out")

    with pytest.raises(OSError, match="pulled out"):
        await AudioFormatConverter.convert_file(broken(), io.BytesIO(), CD, SPEECH)
