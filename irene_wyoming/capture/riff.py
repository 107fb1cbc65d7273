"""Reads the headers of wav files: where the PCM lies and its format.

The standard library's wave module refuses WAVE_FORMAT_EXTENSIBLE, which most programs write for 24 bit or more than two
channels, on every Python before 3.12.
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
"""The last bytes of a sub-format in WAVE_FORMAT_EXTENSIBLE, behind the number of the coding."""

_STREAMED = 0x7FFF_0000
"""Least length that counts as unknown: programs that write to a pipe claim 2 GiB or more."""

_MAX_CHUNKS = 100
"""Most chunks in a file. Real files have up to a dozen; more means a broken or hostile file."""


_64_BIT = 0xFFFF_FFFF
"""Value of a length that does not fit, in a file of more than 4 GiB: the chunk ``ds64`` has the length (RF64)."""


@dataclass(frozen=True, slots=True)
class WavInfo:
    """The format and place of the PCM in a wav file."""

    format: AudioFormat
    offset: int
    """Offset of the PCM in the file, bytes."""
    nbytes: int
    """Length of the PCM, bytes: whole frames, at least one."""
    doubt: str = ""
    """A mistake of the file's writer, in words; empty: there is none."""


def read_info(file: BinaryIO) -> WavInfo:
    """Read a wav file's headers. 8, 16, 24 and 32 bit PCM and 32 bit float, also WAVE_FORMAT_EXTENSIBLE and RF64.

    A file whose writer was stopped, or did not know the length, is read to its end.

    :raises CaptureError: it is no wav file, empty, or of another format; the message leaves out its name.
    """
    total = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        raise CaptureError("not a wav file")
    audio_format: AudioFormat | None = None
    large = 0  # the length of the audio where 32 bits do not hold it
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            raise CaptureError("cut short: the wav file has no audio in it")
        name, size = struct.unpack("<4sI", head)
        begin = file.tell()
        if name == b"data":
            if audio_format is None:
                raise CaptureError("not a valid wav file: its audio comes before its format")
            return _data(file, audio_format, begin, large if size == _64_BIT and large else size, total)
        body = file.read(min(size, 40))
        if name == b"fmt ":
            audio_format = _format(body)
        elif name == b"ds64" and len(body) >= 16:
            large = int.from_bytes(body[8:16], "little")
        file.seek(begin + size)
        if size % 2 and file.read(1) != b"\0":
            file.seek(begin + size)  # the byte that fills it up to an even length has been forgotten
    raise CaptureError(f"not a valid wav file: no audio within its first {_MAX_CHUNKS} chunks")


def _data(file: BinaryIO, audio_format: AudioFormat, offset: int, claimed: int, total: int) -> WavInfo:
    """Find the audio, which comes last in a file whose length is wrong."""
    there, doubt = total - offset, ""
    if claimed == 0 or claimed >= _STREAMED > there:
        claimed = there
    elif claimed > there:
        doubt = f"cut short: {there} of {claimed} bytes of audio are there"
    elif _goes_on(file, offset + claimed):
        doubt = f"its header claims {claimed} bytes of audio, and {there} are there"
        claimed = there
    nbytes = min(claimed, there)
    nbytes -= nbytes % audio_format.frame_bytes
    if nbytes == 0:
        raise CaptureError("the wav file is empty: it has no audio in it")
    return WavInfo(audio_format, offset, nbytes, doubt)


def _goes_on(file: BinaryIO, end: int) -> bool:
    """Whether audio goes on behind its stated end: what follows is no other chunk."""
    file.seek(end)
    rest = file.read(5)  # a chunk's name, with or without the byte that fills up an odd length
    return len(rest) == 5 and not any(name.replace(b" ", b"").isalnum() for name in (rest[:4], rest[1:]))


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
    if align not in (width * channels, width, 0):  # the latter two: writers that thought of one channel, or of none
        raise CaptureError(f"{bits} bit in frames of {align} bytes, {channels} channels: convert it to 16 bit PCM")
    try:
        return AudioFormat(rate, width, channels, floating)
    except UnsupportedFormat as error:
        raise CaptureError(str(error)) from error
