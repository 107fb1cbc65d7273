"""Gain: makes a source louder or softer."""

from collections.abc import Iterable

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.audio.pcm import decode, decode_float, encode, full_scale

_WIDTH = 4
"""Bytes per sample of the output, wide enough to round nothing before the final conversion."""


class Gain:
    """A stage that multiplies every sample; values beyond full scale are clipped."""

    def __init__(self, source: AudioFormat, gain_db: float) -> None:
        self.format = AudioFormat(source.rate, _WIDTH, source.channels)
        self._factor = 10 ** (gain_db / 20)
        self._scale = 1 if source.floating else full_scale(source.width)

    def push(self, chunk: AudioChunk) -> Iterable[AudioChunk]:
        pcm, form = chunk.pcm, chunk.format
        frames = decode_float(pcm, form.channels) if form.floating else decode(pcm, form.width, form.channels)
        louder = encode(frames * self._factor, self._scale, _WIDTH)
        return [AudioChunk(self.format, louder, chunk.start, chunk.timestamp)]
