"""Converter: a PCM stream from one format to another, the only way audio changes its format here."""

from collections.abc import Callable

from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.channels import Mixer, mixer
from irene_wyoming.audio.format import MEAN, AudioFormat, Mix, Quality
from irene_wyoming.audio.methods import resampler
from irene_wyoming.audio.pcm import (
    Frames,
    decode,
    decode_float,
    decode_samples,
    encode,
    encode_float,
    full_scale,
    remix,
)
from irene_wyoming.audio.resample import FirResampler, Resampler


class Converter:
    """Converts a PCM stream: decode, remix, resample, encode.

    The output, joined, does not depend on how the input was cut, not even within a frame: bytes of an incomplete frame
    are kept for the next push. Where source and target are equal, whole frames pass as the same bytes object.

    :param quality: a level, another method's name (see ``methods``), or the policy of an adaptive level.
    :param live: somebody waits for each chunk: hold back as little as the quality allows. False: a whole recording.
    :param mix: how several channels become one, where the channel count changes.
    :raises UnsupportedFormat: ``mix`` is the index of a channel that the source does not have.
    """

    def __init__(
        self,
        source: AudioFormat,
        target: AudioFormat,
        quality: str | AdaptivePolicy = Quality.HIGH,
        *,
        live: bool = True,
        mix: Mix = MEAN,
    ) -> None:
        self.source = source
        self.target = target
        self._rest = b""
        self._identity = source == target
        self._scale = 1 if source.floating else full_scale(source.width)
        self._channels = min(source.channels, target.channels)  # resample after mixing down and before spreading out
        self._frame_bytes = source.frame_bytes
        self._width = source.width
        self._flat = source.channels == 1 and not source.floating  # one channel of integers: no frames to be made of it
        self._mixer: Mixer | None = None  # None: remix() mixes, or there is nothing to mix
        if mix != MEAN and 1 < source.channels != target.channels:
            self._mixer = mixer(mix, source)
            self._channels = 1
        self._resampler: Resampler | None = None
        self._mono: Callable[[Frames], Frames] | None = None  # None, or the shortcut for live audio of one channel
        if source.rate != target.rate:
            self._resampler = resampler(source.rate, target.rate, self._channels, quality, live=live)
            if isinstance(self._resampler, FirResampler) and target.channels == 1:
                self._mono = self._resampler.push_mono

    def push(self, pcm: bytes) -> bytes:
        """Take any number of bytes in the source format; give what is ready in the target format, maybe nothing."""
        if self._rest:
            pcm = self._rest + pcm
            self._rest = b""
        odd = len(pcm) % self._frame_bytes
        if odd:
            self._rest = pcm[-odd:]
            pcm = pcm[:-odd]
        if self._identity:
            return pcm
        if self._mono is not None and self._flat:
            return self._code(self._mono(decode_samples(pcm, self._width)))
        source = self.source
        floating, channels = source.floating, source.channels
        frames = decode_float(pcm, channels) if floating else decode(pcm, source.width, channels)
        frames = remix(frames, self._channels) if self._mixer is None else self._mixer.push(frames)
        if self._mono is not None:
            return self._code(self._mono(frames[:, 0]))
        return self._encode(self._resampler.push(frames) if self._resampler else frames)

    def flush(self) -> bytes:
        """End the stream: give what was held back and start anew. An incomplete frame is dropped."""
        tail = b"" if self._resampler is None else self._encode(self._resampler.flush())
        self.reset()
        return tail

    def reset(self) -> None:
        """Drop what is held back and start a new stream."""
        self._rest = b""
        if self._mixer is not None:
            self._mixer.reset()
        if self._resampler is not None:
            self._resampler.reset()

    @property
    def pending(self) -> int:
        """Bytes kept of an incomplete frame."""
        return len(self._rest)

    def _encode(self, frames: Frames) -> bytes:
        return self._code(remix(frames, self.target.channels))

    def _code(self, frames: Frames) -> bytes:
        if self.target.floating:
            return encode_float(frames, self._scale)
        return encode(frames, self._scale, self.target.width)


def converted(
    pcm: bytes, source: AudioFormat, target: AudioFormat, quality: str = Quality.HIGH, *, live: bool = False
) -> bytes:
    """Convert a whole recording. The parameters are those of ``Converter``."""
    converter = Converter(source, target, quality, live=live)
    return converter.push(pcm) + converter.flush()
