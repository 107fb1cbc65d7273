"""Composition of the microphone server's source of audio."""

from collections.abc import AsyncIterator

from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.base import Capture, Source, Stream, Wanted, WrappedSource
from irene_wyoming.capture.realtime import RealTime
from irene_wyoming.config.mic import MicConfig
from irene_wyoming.errors import CaptureError


def source(settings: MicConfig, quality: str | AdaptivePolicy) -> Source:
    """Make the source, not yet open: a device with a watchdog, its promised format, and sound processing.

    ``quality``: that of the conversion for noise suppression.
    """
    form = settings.format
    if settings.mute:
        from irene_wyoming.capture.wavfile import SilenceSource

        return SilenceSource(form)  # so the device stays closed
    wanted = device(settings)
    if settings.source.kind not in ("wavfile", "silence"):  # these cannot stall, and their silence is meant
        from irene_wyoming.capture.watchdog import WatchedSource

        wanted = WatchedSource(wanted, stall_s=settings.source.stall_s)
    only = None if settings.audio.allow_resampling else form
    return improved(ExactSource(wanted, only, gapless=settings.audio.strict_validation), settings, quality)


def improved(plain: Source, settings: MicConfig, quality: str | AdaptivePolicy) -> Source:
    """Add gain, noise suppression and auto gain to a source where they are configured."""
    from irene_wyoming.capture.staged import StagedSource

    if settings.gain_db:
        from irene_wyoming.capture.gain import Gain

        plain = StagedSource(plain, lambda form: Gain(form, settings.gain_db))
    if settings.noise_suppression or settings.auto_gain:
        from irene_wyoming.capture.webrtc import NoiseGain

        plain = StagedSource(
            plain,
            lambda _: NoiseGain(settings.noise_suppression, settings.auto_gain, quality, settings.audio.mix),
        )
    return plain


def device(settings: MicConfig) -> Source:
    """Make the plain source; imports only what that needs."""
    wanted = settings.source
    delivered = AudioFormat(
        wanted.sample_rate or settings.audio.sample_rate, wanted.width, wanted.channels or settings.audio.channels
    )
    realtime = RealTime(wanted.realtime_priority)
    asked = Wanted(wanted.device, wanted.sample_rate, wanted.channels, wanted.width, settings.block_ms, realtime)
    match wanted.kind:
        case "command":
            from irene_wyoming.capture.command import CommandSource

            return CommandSource(wanted.command, delivered, realtime=realtime)
        case "wavfile":
            from irene_wyoming.capture.wavfile import WavFileSource

            assert wanted.file is not None  # the schema requires it
            return WavFileSource(wanted.file, loop=wanted.loop, chunk_ms=settings.block_ms)
        case "silence":
            from irene_wyoming.capture.wavfile import SilenceSource

            return SilenceSource(delivered, chunk_ms=settings.block_ms)
        case "portaudio":
            from irene_wyoming.capture.portaudio import PortAudioSource

            return PortAudioSource(asked)
        case "auto":
            from irene_wyoming.capture.auto import AutoSource, microphones

            return AutoSource(microphones(asked))


class ExactSource(WrappedSource):
    """A source that must keep the configuration's promises.

    :param only: the one format that it may deliver; None: any.
    :param gapless: losing audio counts as breaking.
    """

    def __init__(self, inner: Source, only: AudioFormat | None, *, gapless: bool) -> None:
        super().__init__(inner)
        self._only = only
        self._gapless = gapless

    def wrapped(self, capture: Capture) -> Capture:
        if self._only not in (None, capture.format):
            raise CaptureError(f"delivers {capture.format}, not {self._only}, and allow_resampling is off")
        return Stream(capture.format, without_gaps(capture)) if self._gapless else capture


async def without_gaps(capture: Capture) -> AsyncIterator[AudioChunk]:
    """Pass chunks on; raises CaptureError where audio was lost."""
    expected: int | None = None
    async for chunk in capture:
        if expected not in (None, chunk.start):
            raise CaptureError(f"lost {chunk.start - (expected or 0)} frames, and strict_validation is on")
        expected = chunk.start + chunk.frames
        yield chunk
