"""A recording of any length, converted in bounded memory, on several threads where that changes nothing.

A filter's state makes each output depend on the input around it, so segments that are converted at the same time
overlap: each gets some input before and after it, whose output is cut off. With the short filters the result is the
same, to the bit, as that of one stream. The long filter is the soxr library's, which works in blocks counted from the
stream's start. A separate segment would differ from the whole in one sample of 100,000, so there a recording stays one
stream.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from irene_wyoming.audio import fir
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import AudioFormat, Quality
from irene_wyoming.batch.methods import ConversionMethod

OVERLAP_S = 0.05
"""Seconds of input before and after a segment; the longest of the short filters, from 8 kHz, reaches 3 ms."""

SEGMENT_BYTES = 1 << 20
"""Input bytes of one segment: 11 s of 48 kHz."""

PIECE_BYTES = 1 << 18
"""Input bytes converted at a time within a segment, few enough to stay in the processor's cache."""

EXACT_WIDTH = 3
"""Most bytes per sample at which rounding hides that sums depend on how numpy cuts its work."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a recording with the input around it."""

    pcm: bytes
    skip: int
    """Output frames at the beginning that belong to the input before the segment."""
    take: int | None
    """Output frames of the segment itself; None: all the rest."""


def convert_recording(
    pieces: Iterable[bytes], source: AudioFormat, target: AudioFormat, method: ConversionMethod, workers: int = 1
) -> Iterator[bytes]:
    """Convert a recording, given in pieces of any size, to pieces in the target format.

    It holds one piece of input, or ``workers + 1`` segments where ``workers`` is above 1, whatever the length.
    """
    if workers > 1 and can_be_cut(source, target, method):
        return _in_parallel(segments(pieces, source, target), source, target, method, workers)
    return _in_sequence(pieces, source, target, method)


def can_be_cut(source: AudioFormat, target: AudioFormat, method: ConversionMethod) -> bool:
    """Whether converting in segments gives exactly the output of one stream."""
    if source.rate == target.rate or method is ConversionMethod.LINEAR_INTERPOLATION:
        return True
    if not method.live or target.width > EXACT_WIDTH:
        return False
    return fir.fits(source.rate, target.rate, Quality(method.quality))


def segments(
    pieces: Iterable[bytes], source: AudioFormat, target: AudioFormat, segment_bytes: int = SEGMENT_BYTES
) -> Iterator[Segment]:
    """Cut a recording into segments where an input frame and an output frame coincide."""
    unit = source.rate // math.gcd(source.rate, target.rate)  # input frames from one such place to the next
    overlap = math.ceil(OVERLAP_S * source.rate / unit) * unit
    own = max(math.ceil(segment_bytes / source.frame_bytes / unit) * unit, 4 * overlap)
    size = source.frame_bytes
    held = bytearray()
    before = 0  # held frames that precede the segment
    for piece in pieces:
        held += piece
        while len(held) >= (before + own + overlap) * size:
            with memoryview(held) as view:
                pcm = bytes(view[: (before + own + overlap) * size])
            yield Segment(pcm, before * target.rate // source.rate, own * target.rate // source.rate)
            del held[: (before + own - overlap) * size]
            before = overlap
    yield Segment(bytes(held), before * target.rate // source.rate, None)


def _in_sequence(
    pieces: Iterable[bytes], source: AudioFormat, target: AudioFormat, method: ConversionMethod
) -> Iterator[bytes]:
    converter = Converter(source, target, method.quality, live=method.live)
    for piece in pieces:
        yield converter.push(piece)
    yield converter.flush()


def _in_parallel(
    cut: Iterable[Segment], source: AudioFormat, target: AudioFormat, method: ConversionMethod, workers: int
) -> Iterator[bytes]:
    with ThreadPoolExecutor(workers, "convert") as pool:
        running: deque[Future[bytes]] = deque()
        for segment in cut:
            if len(running) == workers:
                yield running.popleft().result()
            running.append(pool.submit(_convert, segment, source, target, method))
        while running:
            yield running.popleft().result()


def _convert(segment: Segment, source: AudioFormat, target: AudioFormat, method: ConversionMethod) -> bytes:
    pieces = (segment.pcm[at : at + PIECE_BYTES] for at in range(0, len(segment.pcm), PIECE_BYTES))
    pcm = b"".join(_in_sequence(pieces, source, target, method))
    first = segment.skip * target.frame_bytes
    return pcm[first:] if segment.take is None else pcm[first : first + segment.take * target.frame_bytes]
