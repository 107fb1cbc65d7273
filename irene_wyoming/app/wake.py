"""Composition of the wake server."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from irene_wyoming.app import doubts, engines
from irene_wyoming.app.listening import listening
from irene_wyoming.app.load import method
from irene_wyoming.app.looks import second_look
from irene_wyoming.app.memory import MemoryWatch, watched
from irene_wyoming.app.models import kept_current
from irene_wyoming.app.shown_engines import shown_wake_engines
from irene_wyoming.app.wake_settings import Changeable, changeable, recorder_settings
from irene_wyoming.audio import plans
from irene_wyoming.audio.format import SPEECH, Quality
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import WakeEngine
from irene_wyoming.engines.wake.gate import GatedEngine
from irene_wyoming.engines.wake.recorder import RecordedEngine, Recorder, RecorderSettings
from irene_wyoming.engines.wake.second import SecondLook
from irene_wyoming.engines.wake.spellings import Phrase, phrase_of
from irene_wyoming.engines.wake.typed import TypedEngine
from irene_wyoming.engines.worker import Worker
from irene_wyoming.routing.wake import WakeRouter
from irene_wyoming.servers.arbitration import Arbitration
from irene_wyoming.servers.handler import conversations
from irene_wyoming.servers.info import Kept, wake_info
from irene_wyoming.servers.relief import Relief
from irene_wyoming.servers.satellites import Satellites
from irene_wyoming.servers.service import Service
from irene_wyoming.servers.wake import WakeRole
from irene_wyoming.servers.wake_service import WakeService
from irene_wyoming.tasks import beside

log = logging.getLogger(__name__)


def programs(
    engines: Sequence[WakeEngine], *, gated: bool = False, second: SecondLook | None = None
) -> dict[str, WakeEngine]:
    """The programs for hubs: all engines together first, then each by itself.

    :param second: the second look for which all engines propose words; None: only the first that knows a word does.
    """
    together = WakeRouter(engines) if second is None else WakeRouter(engines, either=True, resting=second.resting)
    every: dict[str, WakeEngine] = {"irene-wake": together, **{engine.name: engine for engine in engines}}
    if gated:
        return {name: GatedEngine(engine) if engine.format == SPEECH else engine for name, engine in every.items()}
    return every


@asynccontextmanager
async def recording(settings: RecorderSettings | None) -> AsyncIterator[Recorder]:
    """Make the recorder while the context lasts.

    :param settings: the first settings of recordings; None: nothing is recorded.
    """
    if settings is not None:
        log.warning("wake: recordings are on: what is said before each wake word is kept in %s", settings.folder)
    recorder = Recorder(settings)
    try:
        yield recorder
    finally:
        await asyncio.to_thread(recorder.close)


def phrases(engines: Sequence[WakeEngine]) -> Callable[[str], Phrase | None]:
    """Make the look-up of the phrase behind a word, for second looks."""

    def phrase(word: str) -> Phrase | None:
        every = (info for engine in engines for info in engine.models() if info.name == word)
        info = next(every, None)
        return None if info is None else phrase_of(word, info.phrase, info.spellings)

    return phrase


@asynccontextmanager
async def wake_server(config: Config) -> AsyncIterator[Service]:
    """Run the wake server.

    :raises EngineUnavailable: no engine can be loaded.
    :raises ConfigError: a setting contradicts what the engines can do.
    :raises AddressUnavailable: the address cannot be used.
    """
    settings = config.wake
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(Worker("wake"))
        loaded = await engines.load("wake", settings, engines.context(config), worker)
        for engine in loaded:
            stack.push_async_callback(worker.run, engine.close)
        second = await stack.enter_async_context(second_look(settings, os.environ))
        modelled = [info.name for engine in loaded for info in engine.models()]
        typed: frozenset[str] = frozenset()
        if settings.typed and second is not None:
            loaded.append(TypedEngine(settings.typed))
            typed = frozenset(info.name for info in loaded[-1].models())
        proposed = second if settings.first_stage == "either" else None
        every = programs(loaded, gated=settings.idle_gate, second=proposed)
        recorder = await stack.enter_async_context(recording(recorder_settings(settings.recordings, config.data_dir)))
        offered = {name: RecordedEngine(engine, recorder) for name, engine in every.items()}
        known = [info.name for info in next(iter(offered.values())).models()]
        for doubt in [
            *doubts.of_typed(settings, modelled),
            *doubts.of_words(settings, known, config.data_dir),
            *doubts.of_folders(config),
        ]:
            log.warning("%s", doubt)
        quality = method("wake", settings.audio, Quality.FAST)
        satellites = Satellites(settings.models, settings.satellites)
        arbitration = Arbitration(settings.arbitration.window_ms / 1000, always=settings.arbitration.always)
        relief = Relief()
        service = WakeService(
            offered,
            settings.default_models,
            settings.audio,
            quality,
            worker,
            satellites,
            max_lag_s=settings.max_lag_s,
            dropped=relief.dropped,
            second=second,
            verify=settings.verify,
            phrases=phrases(loaded),
            arbitration=arbitration,
            typed=typed,
            only_typed=typed - set(modelled),
        )
        stack.enter_context(changeable(Changeable(satellites, arbitration, recorder, config.data_dir)))
        stack.enter_context(shown_wake_engines(settings, loaded))
        info = Kept(lambda: wake_info(offered))

        serve = conversations(lambda peer, client: WakeRole(service, peer, client.host), info, settings.limits)
        await stack.enter_async_context(kept_current(loaded, info.renew))
        await stack.enter_async_context(watched(MemoryWatch({"plans": plans.stats})))
        server = await stack.enter_async_context(listening("wake", config, serve))
        if settings.access.proxies and config.supervise.notice_s:  # others may carry what is too much here
            await stack.enter_async_context(beside(relief.watch("wake", server.relieve), "watch for audio dropped"))
        yield server
