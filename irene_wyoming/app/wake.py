"""The wake server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from irene_wyoming.app import doubts, engines
from irene_wyoming.app.listening import listening
from irene_wyoming.app.load import method
from irene_wyoming.app.memory import MemoryWatch, watched
from irene_wyoming.app.models import kept_current
from irene_wyoming.audio import plans
from irene_wyoming.audio.format import SPEECH, Quality
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import WakeEngine
from irene_wyoming.engines.wake.gate import GatedEngine
from irene_wyoming.engines.wake.recorder import RecordedEngine, Recorder, RecorderSettings
from irene_wyoming.engines.worker import Worker
from irene_wyoming.routing.wake import WakeRouter
from irene_wyoming.servers.handler import Handler
from irene_wyoming.servers.hearing import WakeService
from irene_wyoming.servers.info import Kept, wake_info
from irene_wyoming.servers.satellites import Satellites
from irene_wyoming.servers.service import Client, Service
from irene_wyoming.servers.wake import WakeRole
from irene_wyoming.wire.connection import Connection

log = logging.getLogger(__name__)


def programs(engines: Sequence[WakeEngine], *, gated: bool = False) -> dict[str, WakeEngine]:
    """What a hub can choose from: all engines together first, then each by itself."""
    every: dict[str, WakeEngine] = {"irene-wake": WakeRouter(engines), **{engine.name: engine for engine in engines}}
    if gated:
        return {name: GatedEngine(engine) if engine.format == SPEECH else engine for name, engine in every.items()}
    return every


@asynccontextmanager
async def recorded(programs: Mapping[str, WakeEngine], config: Config) -> AsyncIterator[Mapping[str, WakeEngine]]:
    """The same programs, whose words are recorded where the configuration says so."""
    wanted = config.wake.recordings
    folder = wanted.folder or (config.data_dir / "wake" / "recordings" if config.data_dir else None)
    if not wanted.enabled or folder is None:
        yield programs
        return
    log.warning("wake: recordings are on: what is said before each wake word is kept in %s", folder)
    settings = RecorderSettings(
        folder, wanted.near_miss_threshold, wanted.seconds_before, wanted.max_files, wanted.max_bytes
    )
    recorder = Recorder(settings)
    try:
        yield {name: RecordedEngine(engine, recorder) for name, engine in programs.items()}
    finally:
        await asyncio.to_thread(recorder.close)


@asynccontextmanager
async def wake_server(config: Config) -> AsyncIterator[Service]:
    """The listening wake server.

    :raises EngineUnavailable: no engine can be loaded.
    :raises ConfigError: a setting contradicts what the engines can do.
    :raises AddressUnavailable: the address cannot be had.
    """
    settings = config.wake
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(Worker("wake"))
        loaded = await engines.load("wake", settings, engines.context(config), worker)
        for engine in loaded:
            stack.push_async_callback(worker.run, engine.close)
        offered = await stack.enter_async_context(recorded(programs(loaded, gated=settings.idle_gate), config))
        known = [info.name for info in next(iter(offered.values())).models()]
        for doubt in [*doubts.of_words(settings, known, config.data_dir), *doubts.of_folders(config)]:
            log.warning("%s", doubt)
        quality = method("wake", settings.audio, Quality.FAST)
        satellites = Satellites(settings.models, settings.satellites)
        service = WakeService(
            offered, settings.default_models, settings.audio, quality, worker, satellites, settings.max_lag_s
        )
        info = Kept(lambda: wake_info(offered))

        async def serve(connection: Connection, client: Client) -> None:
            await Handler(
                connection, client, lambda other: WakeRole(service, other, client.host), info, settings.limits
            ).run()

        await stack.enter_async_context(kept_current(loaded, info.renew))
        await stack.enter_async_context(watched(MemoryWatch({"plans": plans.stats})))
        yield await stack.enter_async_context(listening("wake", config, serve))
