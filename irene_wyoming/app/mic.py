"""Composition of the microphone server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

from irene_wyoming.app.listening import listening
from irene_wyoming.app.load import method
from irene_wyoming.app.memory import MemoryWatch, watched
from irene_wyoming.app.shown_engines import shown_microphone
from irene_wyoming.app.source import source
from irene_wyoming.audio import plans
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import Quality
from irene_wyoming.config.mic import MicConfig
from irene_wyoming.config.model import Config
from irene_wyoming.servers.handler import conversations
from irene_wyoming.servers.info import Kept, mic_info
from irene_wyoming.servers.mic import Encoder, MicRole, MicService
from irene_wyoming.servers.service import Service
from irene_wyoming.stream.feed import Feed
from irene_wyoming.tasks import beside


@asynccontextmanager
async def mic_server(config: Config) -> AsyncIterator[Service]:
    """Run the microphone server with its further addresses. A missing device is logged once, and the server still
    describes itself.

    :raises AddressUnavailable: an address cannot be used.
    """
    settings = config.mic
    ways = methods(settings)
    async with AsyncExitStack() as stack:
        wanted = source(settings, ways[settings.audio.resample_quality])
        feed = Feed(wanted, linger_s=settings.linger_s, buffer_ms=settings.buffer_ms, mix=settings.audio.mix)
        stack.push_async_callback(feed.close)
        stack.enter_context(shown_microphone(wanted, feed))
        caches = {"plans": plans.stats, "shared": feed.stats}
        await stack.enter_async_context(watched(MemoryWatch(caches)))
        services = []
        for number, output in enumerate(settings.outputs):
            quality = ways[output.resample_quality]
            service = MicService(feed, output.format, quality, output.chunk_size, Encoder(output.format))
            name = f"mic, extra {number}" if number else "mic"
            info = Kept(partial(mic_info, output.format))
            serve = conversations(lambda peer, _client, of=service: MicRole(of, peer), info, settings.limits)  # type: ignore[misc]
            opened = listening("mic", config, serve, name=name, address=output.address, silent=True)
            services.append(await stack.enter_async_context(opened))
        if settings.always_on:
            stack.enter_context(feed.kept_open())
        # The source is opened once at the start, so that the log shows at once what is wrong with it.
        await stack.enter_async_context(beside(feed.probe(), "probe the microphone"))
        yield services[0]


def methods(settings: MicConfig) -> dict[str, str | AdaptivePolicy]:
    """The conversion methods by name in the configuration: outputs with one name share an adaptive level."""
    names = {output.resample_quality for output in settings.outputs}
    return {name: method("mic", replace(settings.audio, resample_quality=name), Quality.MEDIUM) for name in names}
