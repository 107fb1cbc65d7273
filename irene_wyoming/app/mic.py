"""The microphone server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from irene_wyoming.app.load import method
from irene_wyoming.app.memory import MemoryWatch, watched
from irene_wyoming.audio import plans
from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat, Quality
from irene_wyoming.capture.base import Capture, Source
from irene_wyoming.config.model import Config, MicConfig
from irene_wyoming.errors import CaptureError
from irene_wyoming.servers.handler import Handler
from irene_wyoming.servers.info import fixed, mic_info
from irene_wyoming.servers.mic import MicRole, MicService
from irene_wyoming.servers.service import Client, Service
from irene_wyoming.servers.wire import Wire
from irene_wyoming.stream.feed import Feed


def listened(settings: MicConfig) -> AudioFormat:
    """What listeners get."""
    return AudioFormat(settings.audio.sample_rate, settings.width, settings.audio.channels)


def source(settings: MicConfig) -> Source:
    """The source that the configuration names, not yet open, and watched where it is a device."""
    wanted = device(settings)
    if settings.source.kind in ("wavfile", "silence"):
        return wanted  # these cannot stall, and their silence is meant
    from irene_wyoming.capture.watchdog import WatchedSource

    return WatchedSource(wanted, stall_s=settings.source.stall_s)


def device(settings: MicConfig) -> Source:
    """The same, unwatched; imports what that one needs."""
    wanted = settings.source
    delivered = AudioFormat(
        wanted.sample_rate or settings.audio.sample_rate, wanted.width, wanted.channels or settings.audio.channels
    )
    match wanted.kind:
        case "command":
            from irene_wyoming.capture.command import CommandSource

            return CommandSource(wanted.command, delivered)
        case "wavfile":
            from irene_wyoming.capture.wavfile import WavFileSource

            assert wanted.file is not None  # the schema asks for it
            return WavFileSource(wanted.file, loop=wanted.loop)
        case "silence":
            from irene_wyoming.capture.wavfile import SilenceSource

            return SilenceSource(delivered)
        case "portaudio":
            from irene_wyoming.capture.portaudio import PortAudioSource

            return PortAudioSource(
                device=wanted.device, rate=wanted.sample_rate, channels=wanted.channels, width=wanted.width
            )
        case "auto":
            from irene_wyoming.capture.auto import AutoSource, microphones

            ways = microphones(
                device=wanted.device, rate=wanted.sample_rate, channels=wanted.channels, width=wanted.width
            )
            return AutoSource(ways)


class ExactSource:
    """A source that must keep to what the configuration promises.

    :param only: the one format that it may deliver; None: any.
    :param gapless: losing audio counts as breaking.
    """

    def __init__(self, inner: Source, only: AudioFormat | None, *, gapless: bool) -> None:
        self._inner = inner
        self._only = only
        self._gapless = gapless

    @property
    def name(self) -> str:
        return self._inner.name

    @asynccontextmanager
    async def open(self) -> AsyncIterator["ExactCapture"]:
        async with self._inner.open() as capture:
            if self._only not in (None, capture.format):
                raise CaptureError(f"delivers {capture.format}, not {self._only}, and allow_resampling is off")
            yield ExactCapture(capture, gapless=self._gapless)


class ExactCapture:
    """An open ExactSource."""

    def __init__(self, inner: Capture, *, gapless: bool) -> None:
        self.format = inner.format
        self._inner = inner
        self._gapless = gapless

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        expected: int | None = None
        async for chunk in self._inner:
            if self._gapless and expected not in (None, chunk.start):
                raise CaptureError(f"lost {chunk.start - (expected or 0)} frames, and strict_validation is on")
            expected = chunk.start + chunk.frames
            yield chunk


@asynccontextmanager
async def probed(feed: Feed) -> AsyncIterator[None]:
    """Open the source once at the start, so that the log says at once what is wrong with it."""
    probe = asyncio.create_task(feed.probe(), name="probe the microphone")
    try:
        yield
    finally:
        probe.cancel()
        await asyncio.wait([probe])


@asynccontextmanager
async def mic_server(config: Config) -> AsyncIterator[Service]:
    """The listening microphone server. Without a device it says so once, and keeps describing itself.

    :raises AddressUnavailable: the address cannot be had.
    """
    settings = config.mic
    form = listened(settings)
    async with AsyncExitStack() as stack:
        only = None if settings.audio.allow_resampling else form
        exact = ExactSource(source(settings), only, gapless=settings.audio.strict_validation)
        feed = Feed(exact, linger_s=settings.linger_s, buffer_ms=settings.buffer_ms, mix=settings.audio.mix)
        stack.push_async_callback(feed.close)
        service = MicService(feed, form, method("mic", settings.audio, Quality.MEDIUM), settings.audio.chunk_size)
        info = fixed(mic_info(form))

        async def serve(wire: Wire, client: Client) -> None:
            await Handler(wire, client, lambda other: MicRole(service, other), info, settings.limits).run()

        caches = {"plans": plans.stats, "shared": feed.stats}
        await stack.enter_async_context(watched(MemoryWatch(caches, [plans.CACHE])))
        listening = await stack.enter_async_context(Service("mic", settings.address, settings.limits, serve))
        await stack.enter_async_context(probed(feed))
        yield listening
