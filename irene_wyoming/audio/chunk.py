"""AudioChunk: a piece of one PCM stream that knows its place in it."""

from dataclasses import dataclass

from irene_wyoming.audio.format import AudioFormat


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Whole frames of a stream. Immutable, so readers share it and nobody copies it."""

    format: AudioFormat
    pcm: bytes
    start: int
    """Index of the first frame, counted from the start of the stream."""
    timestamp: int
    """Time of the first frame on the clock of whoever captured it, ms."""

    @property
    def frames(self) -> int:
        return self.format.frames(len(self.pcm))
