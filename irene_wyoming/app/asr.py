"""The speech-to-text server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from irene_wyoming.app import engines
from irene_wyoming.config.model import Config
from irene_wyoming.engines.worker import Worker
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.servers.asr import AsrRole, AsrService
from irene_wyoming.servers.handler import Handler
from irene_wyoming.servers.info import asr_info, fixed
from irene_wyoming.servers.service import Service
from irene_wyoming.servers.wire import Wire


@asynccontextmanager
async def asr_server(config: Config) -> AsyncIterator[Service]:
    """The listening speech-to-text server.

    :raises EngineUnavailable: no engine can be loaded.
    :raises AddressUnavailable: the address cannot be had.
    """
    settings = config.asr
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(Worker("asr"))
        router = AsrRouter(await engines.load("asr", settings, engines.context(config), worker))
        stack.push_async_callback(worker.run, router.close)
        programs = {"irene-asr": router, **{engine.name: engine for engine in router.engines}}
        service = AsrService(programs, settings.language, settings.audio, settings.max_utterance_s, worker)
        info = fixed(asr_info(programs))

        async def serve(wire: Wire, peer: str) -> None:
            await Handler(wire, peer, lambda other: AsrRole(service, other), info, settings.limits).run()

        yield await stack.enter_async_context(Service("asr", settings.address, settings.limits, serve))
