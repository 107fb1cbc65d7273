"""The wake server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from irene_wyoming.app import engines
from irene_wyoming.config.model import Config
from irene_wyoming.engines.worker import Worker
from irene_wyoming.routing.wake import WakeRouter
from irene_wyoming.servers.handler import Handler
from irene_wyoming.servers.info import fixed, wake_info
from irene_wyoming.servers.service import Service
from irene_wyoming.servers.wake import WakeRole, WakeService
from irene_wyoming.servers.wire import Wire


@asynccontextmanager
async def wake_server(config: Config) -> AsyncIterator[Service]:
    """The listening wake server.

    :raises EngineUnavailable: no engine can be loaded.
    :raises AddressUnavailable: the address cannot be had.
    """
    settings = config.wake
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(Worker("wake"))
        router = WakeRouter(await engines.load("wake", settings, engines.context(config), worker))
        stack.push_async_callback(worker.run, router.close)
        programs = {"irene-wake": router, **{engine.name: engine for engine in router.engines}}
        service = WakeService(programs, settings.default_models, settings.audio, worker)
        info = fixed(wake_info(programs))

        async def serve(wire: Wire, peer: str) -> None:
            await Handler(wire, peer, lambda other: WakeRole(service, other), info, settings.limits).run()

        yield await stack.enter_async_context(Service("wake", settings.address, settings.limits, serve))
