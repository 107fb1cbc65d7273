import io
import struct
import wave
from collections.abc import Callable

import pytest

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.capture.riff import read_info
from irene_wyoming.errors import CaptureError
from tests.capture.wavs import chunk, extensible, fmt, riff, wav

PCM = bytes(range(240))  # whole frames of every width and 1 to 5 channels
FORMATS = [
    AudioFormat(rate, width, channels)
    for rate in (8_000, 16_000, 192_000)
    for width in (1, 2, 3, 4)
    for channels in (1, 2, 5)
]


@pytest.mark.parametrize("audio_format", FORMATS, ids=str)
@pytest.mark.parametrize("header", [fmt, extensible])
def test_every_pcm_format_is_read(audio_format: AudioFormat, header: object) -> None:
    assert callable(header)
    file = riff(header(audio_format), chunk(b"data", PCM))
    info = read_info(io.BytesIO(file))
    assert info.format == audio_format
    assert file[info.offset : info.offset + info.nbytes] == PCM[: info.nbytes]
    assert info.nbytes == 240 - 240 % audio_format.frame_bytes


@pytest.mark.parametrize("header", [fmt, extensible])
def test_floats_are_read_as_such(header: Callable[..., bytes]) -> None:
    info = read_info(io.BytesIO(riff(header(AudioFormat(48_000, 4, 2), coding=3), chunk(b"data", PCM))))
    assert info.format == AudioFormat(48_000, 4, 2, floating=True)


def test_what_the_standard_library_writes_is_read() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, 44_100, 0, "NONE", ""))
        writer.writeframes(PCM)
    info = read_info(file)
    assert (info.format, info.nbytes) == (AudioFormat(44_100, 2, 2), 240)


def test_other_chunks_are_passed_over_also_those_of_odd_length() -> None:
    file = riff(chunk(b"LIST", b"odd"), fmt(SPEECH), chunk(b"fact", b"1234"), chunk(b"data", PCM), chunk(b"id3 ", b"x"))
    info = read_info(io.BytesIO(file))
    assert file[info.offset :].startswith(PCM)
    assert info.nbytes == 240


@pytest.mark.parametrize("claim", [0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])
def test_a_length_that_the_writer_could_not_know_is_taken_from_the_file(claim: int) -> None:
    assert read_info(io.BytesIO(riff(fmt(SPEECH), chunk(b"data", PCM, claim=claim)))).nbytes == 240


def test_a_frame_that_is_cut_in_two_at_the_end_is_left_out() -> None:
    assert read_info(io.BytesIO(wav(SPEECH, PCM[:-1]))).nbytes == 238


SIZES = struct.pack("<QQQI", 0, 240, 120, 0)
"""The parts of an RF64 file: the file, the audio, its frames, no table."""

SLOPPY = {
    "a length that was never written": (riff(fmt(SPEECH), chunk(b"data", PCM, claim=0)), 240, ""),
    "RF64": (b"RF64" + riff(chunk(b"ds64", SIZES), fmt(SPEECH), chunk(b"data", PCM, claim=0xFFFF_FFFF))[4:], 240, ""),
    "RF64, and something behind": (
        b"RF64" + riff(chunk(b"ds64", SIZES), fmt(SPEECH), chunk(b"data", PCM, claim=0xFFFF_FFFF), b"x" * 50)[4:],
        240,
        "",
    ),
    "no filling byte": (riff(chunk(b"LIST", b"odd")[:-1], fmt(SPEECH), chunk(b"data", PCM)), 240, ""),
    "no filling byte behind the audio": (
        riff(fmt(AudioFormat(8_000, 1, 1)), chunk(b"data", PCM[:239])[:-1], chunk(b"LIST", b"even")),
        239,
        "",
    ),
    "frames of no bytes": (riff(fmt(SPEECH, align=0), chunk(b"data", PCM)), 240, ""),
    "frames of one channel": (riff(fmt(AudioFormat(16_000, 2, 2), align=2), chunk(b"data", PCM)), 240, ""),
    "cut short": (wav(SPEECH, PCM)[:-40], 200, "cut short: 200 of 240 bytes"),
    "the length of the first piece": (
        riff(fmt(SPEECH), chunk(b"data", PCM, claim=40)),
        240,
        "claims 40 bytes of audio, and 240 are there",
    ),
}


@pytest.mark.parametrize(("file", "nbytes", "doubt"), SLOPPY.values(), ids=SLOPPY.keys())
def test_what_sloppy_writers_make_is_read_as_far_as_it_goes(file: bytes, nbytes: int, doubt: str) -> None:
    info = read_info(io.BytesIO(file))
    assert info.nbytes == nbytes
    assert file[info.offset :].startswith(PCM[: min(nbytes, 200)])
    assert doubt in info.doubt
    assert bool(doubt) is bool(info.doubt)


BAD = {
    "empty file": (b"", "not a wav file"),
    "something else": (b"<!DOCTYPE html><html>", "not a wav file"),
    "big-endian": (b"RIFX" + wav(SPEECH, PCM)[4:], "not a wav file"),
    "header only": (riff(), "no audio in it"),
    "no audio": (riff(fmt(SPEECH)), "no audio in it"),
    "no audio behind its header": (wav(SPEECH, b""), "empty"),
    "less than a frame": (wav(SPEECH, b"x"), "empty"),
    "cut in the format": (riff(fmt(SPEECH))[:30], "format is incomplete"),
    "short format": (riff(chunk(b"fmt ", b"12"), chunk(b"data", PCM)), "format is incomplete"),
    "audio before format": (riff(chunk(b"data", PCM), fmt(SPEECH)), "before its format"),
    "double": (riff(fmt(SPEECH, coding=3, bits=64, align=8), chunk(b"data", PCM)), "64 bit float"),
    "A-law": (riff(fmt(AudioFormat(8_000, 1, 1), coding=6), chunk(b"data", PCM)), "A-law"),
    "unheard-of coding": (riff(fmt(SPEECH, coding=0x4242), chunk(b"data", PCM)), "0x4242 .unknown."),
    "foreign sub-format": (riff(extensible(SPEECH, tail=b"\x01" * 14), chunk(b"data", PCM)), "0xfffe"),
    "odd packing": (riff(fmt(SPEECH, bits=12, align=3), chunk(b"data", PCM)), "12 bit in frames of 3 bytes"),
    "64 bit": (riff(fmt(SPEECH, bits=64, align=8), chunk(b"data", PCM)), "width 8"),
    "0 bit": (riff(fmt(SPEECH, bits=0, align=0), chunk(b"data", PCM)), "width 0"),
    "many chunks": (riff(*[chunk(b"LIST", b"")] * 1000), "first 100 chunks"),
    "endless chunk": (riff(chunk(b"LIST", b"", claim=0xFFFF_FFFE)), "no audio in it"),
}


@pytest.mark.parametrize(("file", "says"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_played_is_refused_with_the_reason(file: bytes, says: str) -> None:
    with pytest.raises(CaptureError, match=says):
        read_info(io.BytesIO(file))
