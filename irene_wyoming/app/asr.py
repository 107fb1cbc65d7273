"""The speech-to-text server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from irene_wyoming.app import engines
from irene_wyoming.app.load import method
from irene_wyoming.app.memory import MemoryWatch, watched
from irene_wyoming.audio import plans
from irene_wyoming.audio.format import Quality
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import AsrEngine
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import ConfigError
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.servers.asr import AsrRole, AsrService
from irene_wyoming.servers.handler import Handler
from irene_wyoming.servers.info import asr_info, fixed
from irene_wyoming.servers.service import Client, Service
from irene_wyoming.servers.wire import Wire


def programs(engines: Sequence[AsrEngine]) -> dict[str, AsrEngine]:
    """What a hub can choose from: all engines together first, then each by itself."""
    return {"irene-asr": AsrRouter(engines), **{engine.name: engine for engine in engines}}


def check_language(language: str, engines: Sequence[AsrEngine]) -> None:
    """:raises ConfigError: no engine understands the language that is spoken when a client does not say it."""
    known = sorted({tag for engine in engines for model in engine.models() for tag in model.languages})
    if primary(language) not in map(primary, known):
        raise ConfigError(f"asr.language: {language!r}: expected one of {', '.join(known)}")


def primary(tag: str) -> str:
    """``en`` of ``en-GB``."""
    return tag.replace("_", "-").partition("-")[0].casefold()


@asynccontextmanager
async def asr_server(config: Config) -> AsyncIterator[Service]:
    """The listening speech-to-text server.

    :raises EngineUnavailable: no engine can be loaded.
    :raises ConfigError: a setting contradicts what the engines can do.
    :raises AddressUnavailable: the address cannot be had.
    """
    settings = config.asr
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(Worker("asr"))
        loaded = await engines.load("asr", settings, engines.context(config), worker)
        for engine in loaded:
            stack.push_async_callback(worker.run, engine.close)
        check_language(settings.language, loaded)
        offered = programs(loaded)
        quality = method("asr", settings.audio, Quality.HIGH)
        service = AsrService(offered, settings.language, settings.audio, quality, settings.max_utterance_s, worker)
        info = fixed(asr_info(offered))

        async def serve(wire: Wire, client: Client) -> None:
            await Handler(wire, client, lambda other: AsrRole(service, other), info, settings.limits).run()

        await stack.enter_async_context(watched(MemoryWatch({"plans": plans.stats}, [plans.CACHE])))
        yield await stack.enter_async_context(Service("asr", settings.address, settings.limits, serve))
