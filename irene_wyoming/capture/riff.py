"""Wav files: where their PCM lies and what format it has.

The standard library's wave module refuses WAVE_FORMAT_EXTENSIBLE, which is what most programs write for 24 bit or
more than two channels, on every Python before 3.12.
"""

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from irene_wyoming.audio.format import FLOAT_WIDTH, AudioFormat
from irene_wyoming.errors import CaptureError, UnsupportedFormat

_PCM = 1
_FLOAT = 3
_EXTENSIBLE = 0xFFFE
_OTHER_CODINGS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "ADPCM", 0x55: "MP3"}
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the coding's number in the sub-format of WAVE_FORMAT_EXTENSIBLE."""

_STREAMED = 0x7FFF_0000
"""Programs that write to a pipe cannot know the length and claim one at or beyond 2 GiB."""

_MAX_CHUNKS = 100
"""Real files have up to a dozen; more than this is a broken or hostile file."""


@dataclass(frozen=True, slots=True)
class WavInfo:
    """What a wav file holds."""

    format: AudioFormat
    offset: int
    """Where its PCM begins, bytes."""
    nbytes: int
    """Length of its PCM: whole frames, at least one."""


def read_info(file: BinaryIO) -> WavInfo:
    """Read a wav file's headers. 8, 16, 24 and 32 bit PCM and 32 bit float, also WAVE_FORMAT_EXTENSIBLE.

    :raises CaptureError: it is no wav file, is cut short, empty, or holds anything else; the message does not name it.
    """
    total = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise CaptureError("not a wav file")
    audio_format: AudioFormat | None = None
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            raise CaptureError("cut short: the wav file has no audio in it")
        name, size = struct.unpack("<4sI", head)
        begin = file.tell()
        if name == b"data":
            if audio_format is None:
                raise CaptureError("not a valid wav file: its audio comes before its format")
            return _data(audio_format, begin, size, total - begin)
        if name == b"fmt ":
            audio_format = _format(file.read(min(size, 40)))
        file.seek(begin + size + size % 2)
    raise CaptureError(f"not a valid wav file: no audio within its first {_MAX_CHUNKS} chunks")


def _data(audio_format: AudioFormat, offset: int, claimed: int, there: int) -> WavInfo:
    if there < claimed < _STREAMED:
        raise CaptureError(f"cut short: {there} of {claimed} bytes of audio are there")
    nbytes = min(claimed, there)
    nbytes -= nbytes % audio_format.frame_bytes
    if nbytes == 0:
        raise CaptureError("the wav file is empty: it has no audio in it")
    return WavInfo(audio_format, offset, nbytes)


def _format(body: bytes) -> AudioFormat:
    if len(body) < 16:
        raise CaptureError("cut short: the wav file's format is incomplete")
    coding, channels, rate, _, align, bits = struct.unpack("<HHIIHH", body[:16])
    if coding == _EXTENSIBLE and len(body) >= 40 and body[26:40] == _GUID_TAIL:
        coding = int.from_bytes(body[24:26], "little")
    floating = coding == _FLOAT and bits == 8 * FLOAT_WIDTH
    if coding != _PCM and not floating:
        other = f"{bits} bit float" if coding == _FLOAT else _OTHER_CODINGS.get(coding, "unknown")
        raise CaptureError(f"coding {coding:#06x} ({other}): expected PCM or 32 bit float; convert it to 16 bit PCM")
    width = (bits + 7) // 8
    if align != width * channels:
        raise CaptureError(f"{bits} bit in frames of {align} bytes, {channels} channels: convert it to 16 bit PCM")
    try:
        return AudioFormat(rate, width, channels, floating)
    except UnsupportedFormat as error:
        raise CaptureError(str(error)) from error
