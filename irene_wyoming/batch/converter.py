"""AudioFormatConverter: recordings, the chunks of a stream, and files from one format to another."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import BinaryIO, TypeVar

from irene_wyoming import cores
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.batch.data import AudioData, coding, converted
from irene_wyoming.batch.methods import ConversionMethod
from irene_wyoming.batch.processor import AudioProcessor
from irene_wyoming.batch.segments import convert_recording
from irene_wyoming.errors import UnsupportedFormat

READ_BYTES = 1 << 16
"""Bytes read from a file at a time."""

T = TypeVar("T")


class AudioFormatConverter:
    """Converts recordings, streams and files to another rate (Hz), channel count or sample format."""

    @staticmethod
    async def convert_audio_data(
        audio: AudioData,
        target_rate: int | None = None,
        target_channels: int | None = None,
        target_format: str | None = None,
        method: ConversionMethod = ConversionMethod.ADAPTIVE,
    ) -> AudioData:
        """Convert a whole recording; None leaves that property as it is. The result is cached in ``AudioProcessor``.

        :raises UnsupportedFormat: a rate, format or channel count outside of what is accepted.
        """
        target = _target(audio.audio_format, target_rate, target_channels, target_format)
        return await AudioProcessor.convert(audio, target, method)

    @staticmethod
    async def convert_audio_data_streaming(
        chunks: Iterable[AudioData],
        target_rate: int,
        *,
        target_channels: int | None = None,
        method: ConversionMethod = ConversionMethod.ADAPTIVE,
        parallel_processing: bool = False,
    ) -> list[AudioData]:
        """Convert a stream's chunks, in order. Each result covers the same stretch of time as its chunk.

        Joined they are the conversion of the stream as a whole: no chunk begins or ends with a click.

        :param parallel_processing: convert a long stream in overlapping segments on all processors, where the method
            gives the same result (LINEAR and POLYPHASE). For many streams use ``convert_streams``.
        :raises UnsupportedFormat: a chunk's format is not accepted or not that of the first.
        """
        stream = list(chunks)
        if not stream:
            return []
        source = _one_format(stream)
        target = _target(source, target_rate, target_channels, None)

        def work(stop: threading.Event) -> bytes:
            workers = cores.granted() if parallel_processing else 1
            pieces = (chunk.data for chunk in stream if not stop.is_set())
            return b"".join(convert_recording(pieces, source, target, method, workers))

        return _in_chunks(await _in_thread(work), stream, source, target)

    @classmethod
    async def convert_streams(
        cls,
        streams: Sequence[Iterable[AudioData]],
        target_rate: int,
        *,
        target_channels: int | None = None,
        method: ConversionMethod = ConversionMethod.ADAPTIVE,
    ) -> list[list[AudioData]]:
        """Convert several streams, as many at once as there are processors. See ``convert_audio_data_streaming``.

        :raises UnsupportedFormat: a chunk's format is not accepted, or not that of the first; before any is converted.
        """
        lists = [list(stream) for stream in streams]
        for stream in lists:
            if stream:  # a bad format is refused before any stream is converted
                _target(_one_format(stream), target_rate, target_channels, None)
        free = asyncio.Semaphore(await asyncio.to_thread(cores.granted))

        async def convert(stream: list[AudioData]) -> list[AudioData]:
            async with free:
                return await cls.convert_audio_data_streaming(
                    stream, target_rate, target_channels=target_channels, method=method
                )

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(convert(stream)) for stream in lists]
        return [task.result() for task in tasks]

    @staticmethod
    async def convert_file(
        source: BinaryIO | Iterable[bytes],
        target: BinaryIO,
        source_format: AudioFormat,
        target_format: AudioFormat,
        *,
        method: ConversionMethod = ConversionMethod.ADAPTIVE,
        parallel_processing: bool = False,
    ) -> int:
        """Convert raw PCM of any length from an open file or pieces into an open file; returns the frames written.

        It holds some segments of 1 MiB, whatever the length. ``parallel_processing`` uses all processors. A thread
        reads and writes; when this is cancelled, it ends before the files are the caller's again.
        """

        def work(stop: threading.Event) -> int:
            workers = cores.granted() if parallel_processing else 1
            pieces = itertools.takewhile(lambda _: not stop.is_set(), _pieces(source))
            written = 0
            for pcm in convert_recording(pieces, source_format, target_format, method, workers):
                target.write(pcm)
                written += len(pcm)
            return target_format.frames(written)

        return await _in_thread(work)


def _target(source: AudioFormat, rate: int | None, channels: int | None, name: str | None) -> AudioFormat:
    width, floating = (source.width, source.floating) if name is None else coding(name)
    return AudioFormat(
        source.rate if rate is None else rate, width, source.channels if channels is None else channels, floating
    )


def _one_format(stream: Sequence[AudioData]) -> AudioFormat:
    first = stream[0].audio_format
    for place, chunk in enumerate(stream):
        if chunk.audio_format != first:
            raise UnsupportedFormat(f"chunk {place}: {chunk.audio_format}, but the stream began with {first}")
    return first


def _in_chunks(joined: bytes, stream: Sequence[AudioData], source: AudioFormat, target: AudioFormat) -> list[AudioData]:
    """Cut a converted stream where the chunks of its source began and ended."""
    ends = [source.frames(taken) for taken in itertools.accumulate(len(chunk.data) for chunk in stream)]
    cuts = [0, *(-(-end * target.rate // source.rate) * target.frame_bytes for end in ends)]
    return [
        converted(chunk, joined[start:end], target)
        for chunk, (start, end) in zip(stream, itertools.pairwise(cuts), strict=True)
    ]


def _pieces(source: BinaryIO | Iterable[bytes]) -> Iterable[bytes]:
    """Read a file in pieces (iterating it would give lines); pass anything else through."""
    read: Callable[[int], bytes] | None = getattr(source, "read", None)
    return source if read is None else iter(partial(read, READ_BYTES), b"")


async def _in_thread(work: Callable[[threading.Event], T]) -> T:
    """Run work in a thread. When cancelled, tell the work to stop and wait until it has."""
    stop = threading.Event()
    thread = asyncio.create_task(asyncio.to_thread(work, stop), name="convert")
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([thread])
        raise
