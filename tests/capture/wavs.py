"""Wav files made by hand, so that they can also be broken."""

import struct

from irene_wyoming.audio.format import AudioFormat

PCM_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name: bytes, body: bytes, *, claim: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if claim is None else claim) + body + b"\x00" * (len(body) % 2)


def fmt(audio_format: AudioFormat, *, coding: int = 1, bits: int | None = None, align: int | None = None) -> bytes:
    frame = audio_format.frame_bytes if align is None else align
    bits = audio_format.width * 8 if bits is None else bits
    return chunk(
        b"fmt ",
        struct.pack(
            "<HHIIHH", coding, audio_format.channels, audio_format.rate, audio_format.rate * frame, frame, bits
        ),
    )


def extensible(audio_format: AudioFormat, *, coding: int = 1, tail: bytes = PCM_GUID_TAIL) -> bytes:
    plain = fmt(audio_format, coding=0xFFFE)[8:]
    bits = audio_format.width * 8
    return chunk(b"fmt ", plain + struct.pack("<HHIH", 22, bits, 0, coding) + tail)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def wav(audio_format: AudioFormat, pcm: bytes) -> bytes:
    return riff(fmt(audio_format), chunk(b"data", pcm))
