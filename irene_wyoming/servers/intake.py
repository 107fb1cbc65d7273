"""Intake: converts the audio events of one client to the format of an engine."""

import time
from collections.abc import Iterator

from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import AudioFormat, Quality
from irene_wyoming.config.server import AudioProfile
from irene_wyoming.errors import AudioError, UnsupportedFormat
from irene_wyoming.metrics import CONVERT_SECONDS


class Intake:
    """Converts one stream of a client, in small pieces so that no chunk holds up the loop.

    :param quality: how to convert: a method's name, or a policy.
    :param announced: the format of the audio-start; None where the client sent none.
    :param server: name of the server, for the metrics.
    :raises UnsupportedFormat: the format needs a conversion and the profile forbids it.
    """

    def __init__(
        self,
        profile: AudioProfile,
        quality: str | AdaptivePolicy,
        target: AudioFormat,
        announced: AudioFormat | None = None,
        *,
        server: str,
    ) -> None:
        self._profile = profile
        self._quality = quality
        self._target = target
        self._converter: Converter | None = None
        self._frames = 0
        self._seconds = CONVERT_SECONDS.labels(server, quality if isinstance(quality, str) else Quality.ADAPTIVE)
        if announced is not None:
            self._converter = self._open(announced)

    def push(self, form: AudioFormat, pcm: bytes) -> Iterator[bytes]:
        """Convert one chunk; gives pieces of about ``chunk_size`` frames at most, maybe none.

        :raises AudioError: the chunk contradicts the stream, and the profile asks for strict validation.
        """
        if self._converter is None:
            self._converter = self._open(form)
        elif form is not self._converter.source and form != self._converter.source:
            yield from self._reopen(form)
        converter = self._converter
        if self._profile.strict_validation and len(pcm) % form.frame_bytes:
            raise AudioError(f"{len(pcm)} bytes are no whole frames of {form} ({form.frame_bytes} bytes each)")
        step = max(1, self._profile.chunk_size * form.rate // self._target.rate) * form.frame_bytes
        self._frames += form.frames(converter.pending + len(pcm))
        for start in range(0, len(pcm), step):
            part = pcm if step >= len(pcm) else pcm[start : start + step]
            piece = converter.push(part) if form == self._target else self._convert(converter, part)
            if piece:
                yield piece

    def place_ms(self, frames: int, form: AudioFormat) -> int:
        """The place in the stream, ms, of audio not pushed yet that follows after ``frames`` of this format."""
        if self._converter is None:
            return frames * 1_000 // form.rate
        rate = self._converter.source.rate
        return (self._frames * form.rate + frames * rate) * 1_000 // (rate * form.rate)

    def flush(self) -> bytes:
        """End the stream; gives what the conversion still held back."""
        return self._converter.flush() if self._converter else b""

    def _convert(self, converter: Converter, pcm: bytes) -> bytes:
        began = time.perf_counter()
        converted = converter.push(pcm)
        self._seconds.observe(time.perf_counter() - began)
        return converted

    def _open(self, form: AudioFormat) -> Converter:
        if form != self._target and not self._profile.allow_resampling:
            raise UnsupportedFormat(f"{form}: only {self._target} is taken, since allow_resampling is off")
        return Converter(form, self._target, self._quality, mix=self._profile.mix)

    def _reopen(self, form: AudioFormat) -> Iterator[bytes]:
        """Change the format within a stream: flush the old conversion, then begin a new one."""
        assert self._converter is not None
        if self._profile.strict_validation:
            raise AudioError(f"audio-chunk is {form}, but the stream was started as {self._converter.source}")
        tail = self.flush()
        self._frames = self._frames * form.rate // self._converter.source.rate
        self._converter = self._open(form)
        if tail:
            yield tail
