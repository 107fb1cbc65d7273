"""Long recordings: segments, several threads and one stream give the same samples."""

import tracemalloc
from collections.abc import Iterator

import pytest

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.batch import segments as module
from irene_wyoming.batch.methods import ConversionMethod
from irene_wyoming.batch.segments import OVERLAP_S, can_be_cut, convert_recording, segments
from tests.batch.recordings import at_once, noise

STUDIO = AudioFormat(48_000, 2, 1)
RATES = (8_000, 11_025, 22_050, 44_100, 48_000, 96_000)


def pieces(pcm: bytes, size: int) -> Iterator[bytes]:
    return (pcm[at : at + size] for at in range(0, len(pcm), size))


@pytest.mark.parametrize("method", ConversionMethod, ids=str)
@pytest.mark.parametrize("rate", RATES)
def test_segments_in_parallel_give_what_one_stream_gives(rate: int, method: ConversionMethod) -> None:
    source = AudioFormat(rate, 4, 8)  # a second takes slightly fewer bytes than a segment
    pcm = noise(source, 2_500_000 / source.frame_bytes / rate + 0.0123)
    parallel = b"".join(convert_recording(pieces(pcm, 65_537), source, SPEECH, method, workers=3))
    assert parallel == at_once(pcm, source, SPEECH, method)


@pytest.mark.parametrize("method", [ConversionMethod.POLYPHASE, ConversionMethod.SINC_KAISER], ids=str)
@pytest.mark.parametrize("target", [AudioFormat(48_000, 2, 2), AudioFormat(44_100, 1, 1), AudioFormat(192_000, 2, 1)])
def test_so_they_do_towards_higher_rates(target: AudioFormat, method: ConversionMethod) -> None:
    source = AudioFormat(16_000, 2, 8)
    pcm = noise(source, 10)
    assert b"".join(convert_recording([pcm], source, target, method, 2)) == at_once(pcm, source, target, method)


def test_a_recording_is_cut_into_overlapping_segments_that_add_up() -> None:
    source = AudioFormat(44_100, 2, 1)
    pcm = noise(source, 30)
    cut = list(segments(pieces(pcm, 10_000), source, SPEECH, segment_bytes=400_000))
    assert len(cut) > 5
    assert [segment.skip for segment in cut[1:]] == [round(OVERLAP_S * 16_000)] * (len(cut) - 1)
    owned = sum(segment.take or 0 for segment in cut)
    last = -(-len(cut[-1].pcm) // 2 * 16_000 // 44_100) - cut[-1].skip
    assert owned + last == 30 * 16_000


@pytest.mark.parametrize("frames", [0, 1, 479, 480])
def test_the_shortest_recordings_are_one_segment(frames: int) -> None:
    pcm = noise(STUDIO, 1)[: 2 * frames]
    method = ConversionMethod.POLYPHASE
    assert b"".join(convert_recording([pcm], STUDIO, SPEECH, method, 2)) == at_once(pcm, STUDIO, SPEECH, method)


def test_a_recording_that_ends_with_a_segment_loses_nothing() -> None:
    unit = 3 * 2 * 100_000
    cut = list(segments([bytes(unit + 2 * 12_000)], STUDIO, SPEECH, segment_bytes=unit))
    assert [segment.take for segment in cut] == [100_000, None]
    cut = list(segments([bytes(unit)], STUDIO, SPEECH, segment_bytes=unit))
    assert [segment.take for segment in cut] == [None]


WIDE = AudioFormat(16_000, 4, 1)


@pytest.mark.parametrize(
    ("source", "target", "method", "cut"),
    [
        (STUDIO, SPEECH, ConversionMethod.LINEAR, True),
        (STUDIO, SPEECH, ConversionMethod.POLYPHASE, True),
        (STUDIO, WIDE, ConversionMethod.POLYPHASE, False),
        (STUDIO, SPEECH, ConversionMethod.SINC_KAISER, False),
        (STUDIO, SPEECH, ConversionMethod.ADAPTIVE, False),
        (AudioFormat(47_999, 2, 1), SPEECH, ConversionMethod.POLYPHASE, False),
        (STUDIO, WIDE, ConversionMethod.LINEAR_INTERPOLATION, True),
        (SPEECH, WIDE, ConversionMethod.SINC_KAISER, True),
    ],
)
def test_only_what_stays_the_same_to_the_bit_is_cut(
    source: AudioFormat, target: AudioFormat, method: ConversionMethod, cut: bool
) -> None:
    assert can_be_cut(source, target, method) is cut
    pcm = noise(source, 25)
    assert b"".join(convert_recording([pcm], source, target, method, 2)) == at_once(pcm, source, target, method)


@pytest.mark.parametrize("workers", [1, 2])
def test_memory_does_not_grow_with_the_length(workers: int) -> None:
    second = noise(STUDIO, 1)

    def peak(seconds: int) -> int:
        converted = convert_recording(
            (second for _ in range(seconds)), STUDIO, SPEECH, ConversionMethod.LINEAR, workers
        )
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in converted:
            pass
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        peak(60)
        short, long = peak(60), peak(360)
    finally:
        tracemalloc.stop()
    assert long < short * 2
    assert long < (workers + 1) * 12 * module.SEGMENT_BYTES
