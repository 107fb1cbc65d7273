"""A recording of any length, converted in bounded memory, on several threads where that changes nothing.

A filter's state makes each output depend on the input around it, so segments that are converted at the same time
overlap: each gets the input before and after it, and what comes of that is cut off. With the short filters the result
is the same, to the bit, as that of one stream. The long filter is the library's, which works in blocks counted from
where its stream began: a segment of its own would differ from the whole in one sample of 100,000, so with it a
recording stays one stream.
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
"""Input of one segment: 11 s of 48 kHz."""

PIECE_BYTES = 1 << 18
"""Converted at a time within a segment: what is computed on the way stays in the processor's cache."""

EXACT_WIDTH = 3
"""Bytes per sample up to which rounding hides that the last bit of a sum depends on how numpy cuts its work."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a recording with the input around it."""

    pcm: bytes
    skip: int
    """Output frames, at the beginning, that come of the input before it."""
    take: int | None
    """Output frames that are its own; None: all the rest."""


def convert_recording(
    pieces: Iterable[bytes], source: AudioFormat, target: AudioFormat, method: ConversionMethod, workers: int = 1
) -> Iterator[bytes]:
    """Convert a recording, given in pieces of any size, to pieces in the target format.

    Holds a piece of input, or with ``workers`` above 1 so many segments and one more, whatever the recording's length.
    """
    if workers > 1 and can_be_cut(source, target, method):
        return _in_parallel(segments(pieces, source, target), source, target, method, workers)
    return _in_sequence(pieces, source, target, method)


def can_be_cut(source: AudioFormat, target: AudioFormat, method: ConversionMethod) -> bool:
    """Whether segments give exactly what one stream gives."""
    if source.rate == target.rate or method is ConversionMethod.LINEAR_INTERPOLATION:
        return True
    if not method.live or target.width > EXACT_WIDTH:
        return False
    return fir.fits(source.rate, target.rate, Quality(method.quality))


def segments(
    pieces: Iterable[bytes], source: AudioFormat, target: AudioFormat, segment_bytes: int = SEGMENT_BYTES
) -> Iterator[Segment]:
    """Cut a recording where an input frame and an output frame coincide."""
    unit = source.rate // math.gcd(source.rate, target.rate)  # input frames between two such places
    overlap = math.ceil(OVERLAP_S * source.rate / unit) * unit
    own = max(math.ceil(segment_bytes / source.frame_bytes / unit) * unit, 4 * overlap)
    size = source.frame_bytes
    held = bytearray()
    before = 0  # frames held that belong to the segment before
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
