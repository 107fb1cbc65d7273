"""Composition of the speech-to-text server."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

from wyoming.info import Info

from irene_wyoming import metrics
from irene_wyoming.app import doubts, engines
from irene_wyoming.app.fetching import fetching
from irene_wyoming.app.home import Known, configured, watched_home
from irene_wyoming.app.listening import listening
from irene_wyoming.app.load import method
from irene_wyoming.app.looks import looks_served
from irene_wyoming.app.memory import MemoryWatch, watched
from irene_wyoming.app.shown_engines import shown_speech_engines
from irene_wyoming.audio import plans
from irene_wyoming.audio.format import Quality
from irene_wyoming.config.asr import AsrConfig, AsrProviderConfig
from irene_wyoming.config.model import Config
from irene_wyoming.engines import registry
from irene_wyoming.engines.asr.lazy import lazy, offered
from irene_wyoming.engines.asr.process import contained
from irene_wyoming.engines.asr.voice import Voices, silero
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, ModelInfo
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineError
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.vocabulary import Vocabulary
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.routing.cascade import Cascade
from irene_wyoming.routing.mending import Mending
from irene_wyoming.routing.policy import POLICIES, Breaker, Ordered, PolicyName, Standing
from irene_wyoming.routing.provider import Provider
from irene_wyoming.servers.asr import AsrRole, AsrService
from irene_wyoming.servers.handler import conversations
from irene_wyoming.servers.info import Wishes, asr_info
from irene_wyoming.servers.service import Service

log = logging.getLogger(__name__)

ALL = "irene-asr"
"""Name of the program of all providers together."""

Models = Mapping[str, Sequence[ModelInfo]]


def programs(by_provider: Models) -> dict[str, Sequence[ModelInfo]]:
    """The programs for hubs: all providers together first, then each by itself."""
    everything = [model for models in by_provider.values() for model in models if model.installed]
    return {ALL: everything, **by_provider}


def maker(
    spec: EngineSpec, settings: AsrProviderConfig, known: EngineContext, mending: Mending | None = None
) -> Callable[[], AsrEngine]:
    """Give the function that makes an engine. Engines that can list their models early are loaded in the background.

    :param mending: corrects its transcripts; prepared before the engine is made.
    """

    if settings.process:
        spec = contained(spec, settings.memory_mb)

    def make() -> AsrEngine:
        registry.require(spec)
        if mending is not None:
            mending.prepare()
        engine: AsrEngine = lazy(spec, settings.options, known) or spec.create(settings.options, known)
        return engine

    return make


def mending(name: str, settings: AsrConfig, known: EngineContext) -> Mending | None:
    """Make the mending of a provider's transcripts; None: they stay as they are.

    The home's own sentences are those of all engines' options together.
    """
    snap = settings.providers[name].snap
    if snap is Snap.OFF:
        return None
    options = (provider.options.get("sentences", ()) for provider in settings.providers.values())
    sentences = dict.fromkeys(sentence for listed in options for sentence in listed)
    names = Vocabulary.of(known.vocabulary.areas, known.vocabulary.devices)
    return Mending(snap, names, tuple(sentences), known.language)


class Providers:
    """The providers of a server: those that could be started, and those that could not."""

    def __init__(self, settings: AsrConfig, known: EngineContext) -> None:
        self._settings = settings
        self._known = known
        self.started: list[Provider] = []
        self.missing: dict[str, str] = {}
        """The reasons why providers could not be started, by name."""
        self._would_offer: dict[str, Sequence[ModelInfo]] = {}

    async def start(self) -> None:
        """Start each provider in its order. One that cannot be started is logged, and the others do its work.

        :raises EngineUnavailable: none could be started.
        """
        specs = await asyncio.to_thread(registry.specs, "asr")
        for name in engines.order(self._settings):
            provider = self._provider(specs[name])
            try:
                await provider.start()
            except EngineError as error:
                log.warning("asr: %s: %s", name, error)
                await provider.close()
                await self._note_missing(specs[name], error)
            else:
                log.info("asr: %s: %s", name, ", ".join(model.name for model in provider.models()))
                self.started.append(provider)
        if not self.started:
            raise engines.no_engine("asr", self._settings)

    async def close(self) -> None:
        await asyncio.gather(*(provider.close() for provider in self.started))

    async def load(self, name: str) -> None:
        """Load a provider's model after its files were fetched. Failures are logged."""
        for provider in self.started:
            if provider.name == name:
                with suppress(EngineError):  # the provider has logged it
                    await provider.load()

    def expect(self, known: Known) -> None:
        """Prepare for the home's names, now and after each change, so that no utterance has to wait."""

        def expect(names: Vocabulary) -> None:
            for provider in self.started:
                provider.expect(names)

        known.on_change.append(expect)
        if (names := known()) is not None:
            expect(names)

    async def unload_unused(self, for_s: float) -> list[str]:
        """Unload models that were not used for this many seconds; gives the names of their providers."""
        return [provider.name for provider in self.started if await provider.unload_unused(for_s)]

    def standings(self) -> Sequence[Standing]:
        """The standings of the providers that could be started."""
        return [provider.standing for provider in self.started]

    def models(self) -> Models:
        """The present models of each provider; of one that could not be started, the models that it would have."""
        running = {provider.name: provider.models() for provider in self.started}
        return {name: running.get(name, self._would_offer.get(name, ())) for name in engines.order(self._settings)}

    async def _note_missing(self, spec: EngineSpec, error: EngineError) -> None:
        options = self._settings.providers[spec.name].options
        models = await asyncio.to_thread(offered, spec, options, self._known)
        self._would_offer[spec.name] = [replace(model, installed=False) for model in models or ()]
        self.missing[spec.name] = str(error)
        metrics.PROVIDER_UP.labels("asr", spec.name).set(0)

    def routers(self) -> dict[str, AsrRouter]:
        """The routers by program name: all providers together first, then each by itself."""
        settings = self._settings
        admission = Admission(settings.admission.at_once, settings.admission.waiting)
        cascade = Cascade(settings.cascade_confidence) if settings.policy == PolicyName.CASCADE else None
        every = AsrRouter(self.started, POLICIES[settings.policy](), admission, cascade)
        return {ALL: every, **{one.name: AsrRouter([one], Ordered(), admission) for one in self.started}}

    def _provider(self, spec: EngineSpec) -> Provider:
        settings, breaker = self._settings.providers[spec.name], self._settings.breaker
        mends = mending(spec.name, self._settings, self._known)
        return Provider(
            spec.name,
            maker(spec, settings, self._known, mends),
            settings.deadline_s,
            longest_s=self._settings.admission.answer_timeout_s,
            finds_speech=spec.finds_speech,
            mending=mends,
            breaker=Breaker(breaker.failures, breaker.cool_down_s, breaker.cool_down_max_s),
        )


async def voices(settings: AsrConfig, providers: Providers, stack: AsyncExitStack) -> Voices | None:
    """Load what finds speech in the audio; None: nothing needs it.

    :raises EngineUnavailable: it cannot be loaded.
    """
    endpointing, trim = settings.endpointing, settings.trim_silence
    if trim is None:
        trim = not all(provider.finds_speech for provider in providers.started)
    if not trim and not endpointing.enabled:
        return None
    worker = await stack.enter_async_context(Worker("voice"))
    judge = await worker.run(silero)
    return Voices(
        worker, judge, endpointing.silence_s, endpointing.timeout_s, trim=trim, endpointing=endpointing.enabled
    )


def wishes(settings: AsrConfig) -> Wishes:
    """The processing that hubs are asked to do on the audio of commands."""
    return Wishes(
        external_vad=not settings.endpointing.enabled,
        auto_gain=settings.prefers_auto_gain_enabled,
        noise_reduction=settings.prefers_noise_reduction_enabled,
    )


@asynccontextmanager
async def asr_server(config: Config) -> AsyncIterator[Service]:
    """Run the speech-to-text server.

    :raises EngineUnavailable: no engine can be loaded.
    :raises ConfigError: a setting contradicts what the engines can do.
    :raises AddressUnavailable: the address cannot be used.
    """
    settings = config.asr
    async with AsyncExitStack() as stack:
        providers = Providers(settings, engines.context(config))
        stack.push_async_callback(providers.close)
        await providers.start()
        unsaid = await asyncio.to_thread(doubts.of_sentences, settings)
        for doubt in [*doubts.of_language(settings, providers.models()), *unsaid]:
            log.warning("%s", doubt)
        routers = providers.routers()
        engines.check_format("asr", settings, routers[ALL].format)
        told = await stack.enter_async_context(watched_home(config, os.environ))
        stack.enter_context(shown_speech_engines(providers.models, providers.missing, providers.standings))
        if told is not None:
            from irene_wyoming.app.shown_home import shown_home  # loads aiohttp

            stack.enter_context(shown_home(config, told))
        names = Known(configured(config), told)
        providers.expect(names)
        service = AsrService(
            routers,
            providers.missing,
            settings.language,
            settings.audio,
            method("asr", settings.audio, Quality.HIGH),
            await voices(settings, providers, stack),
            settings.max_utterance_s,
            settings.admission.answer_timeout_s,
            names,
        )

        async def info() -> Info:
            return asr_info(programs(providers.models()), wishes(settings))

        serve = conversations(lambda peer, client: AsrRole(service, peer, client.host), info, settings.limits)
        await stack.enter_async_context(looks_served(os.environ))
        await stack.enter_async_context(fetching(config, providers.load))
        await stack.enter_async_context(watched(MemoryWatch({"plans": plans.stats}, providers.unload_unused)))
        yield await stack.enter_async_context(listening("asr", config, serve))
