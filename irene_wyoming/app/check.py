"""Checks everything that a start needs, without starting: engines, microphone, addresses, the Info for hubs."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from wyoming.info import Info

from irene_wyoming import descriptors, hardware
from irene_wyoming.app import asr, doubts, engines, licences, wake
from irene_wyoming.app.findings import Finding, Level
from irene_wyoming.app.front import reachable
from irene_wyoming.app.names import Report, report
from irene_wyoming.app.opening import opened
from irene_wyoming.app.source import source
from irene_wyoming.audio.format import Quality
from irene_wyoming.config import changes
from irene_wyoming.config.asr import AsrConfig
from irene_wyoming.config.layers import dotted
from irene_wyoming.config.load import read_changes
from irene_wyoming.config.model import Config
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.engines.base import AsrEngine, ModelInfo, WakeEngine
from irene_wyoming.engines.registry import Kind
from irene_wyoming.engines.wake.names import resolved
from irene_wyoming.engines.wake.watched import Watched
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import AddressUnavailable, CaptureError, ConfigError, EngineError, ServerUnavailable
from irene_wyoming.models import catalogue
from irene_wyoming.routing.wake import WakeRouter
from irene_wyoming.servers.info import asr_info, joined, mic_info, wake_info
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.limits import Limits

LISTEN_S = 0.5
"""Seconds of zeros after which a device counts as muted; even a quiet one has noise."""

FIRST_AUDIO_S = 3.0
"""Seconds to wait for first audio: sound systems need up to a second to start a device."""


class Check:
    """Yields findings one by one; ``info`` then holds what a hub will see of the enabled servers."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._infos: list[Info] = []

    @property
    def info(self) -> Info:
        return joined(self._infos)

    async def findings(self) -> AsyncIterator[Finding]:
        config = self._config
        yield Finding(Level.OK, "hardware", f"{config.hardware}: {await asyncio.to_thread(hardware.detect)}")
        async for finding in configured(config):
            yield finding
        if config.wake.enabled:
            async for finding in self._engines("wake", config.wake, lambda loaded: wake_info(wake.programs(loaded))):
                yield finding
            yield await address("wake", config.wake.address, config.wake.limits)
        if config.asr.enabled:
            async for finding in self._engines(
                "asr",
                config.asr,
                lambda loaded: asr_info(asr.programs(models(loaded)), wishes=asr.wishes(config.asr)),
            ):
                yield finding
            yield await address("asr", config.asr.address, config.asr.limits)
        if config.mic.enabled:
            self._infos.append(mic_info(config.mic.format))
            yield await self._microphone()
            for output in config.mic.outputs:
                yield await address("mic", output.address, config.mic.limits)
        for finding in (*await self._unused(), *of_names(await report(config, os.environ))):
            yield finding
        if config.front.enabled:
            yield await address("front", config.front.address, config.front.limits, files_each=2)

    async def _unused(self) -> list[Finding]:
        """Findings about installed engines that are not used."""
        servers: dict[Kind, WakeConfig | AsrConfig] = {"wake": self._config.wake, "asr": self._config.asr}
        return [
            Finding(Level.OK, f"{kind}.providers.{name}", text)
            for kind, server in servers.items()
            if server.enabled
            for name, text in (await asyncio.to_thread(engines.unused, kind, server)).items()
        ]

    async def _engines(
        self, kind: Kind, server: WakeConfig | AsrConfig, describe_all: Callable[[Sequence[Any]], Info]
    ) -> AsyncIterator[Finding]:
        loaded = []
        async with Worker("check") as worker:
            async for attempt in engines.attempts(kind, server, engines.context(self._config), worker):
                level = Level.WARNING if attempt.error else Level.OK
                yield Finding(level, f"{kind}.providers.{attempt.provider}", str(attempt))
                if attempt.error is None:
                    loaded.append(attempt.engine)
                if isinstance(attempt.engine, Watched):
                    for path, reason in attempt.engine.refused.items():
                        yield Finding(Level.WARNING, f"{kind}.providers.{attempt.provider}", f"{path}: {reason}")
            try:
                if not loaded:
                    raise engines.no_engine(kind, server)
                if loaded[0].name != server.default_provider:
                    text = f"{loaded[0].name} stands in for {server.default_provider}, the default"
                    yield Finding(Level.WARNING, f"{kind}.default_provider", text)
                engines.check_format(kind, server, loaded[0].format)
                for finding in self._doubts(server, loaded):
                    yield finding
                yield await self._licences(kind, loaded)
                self._infos.append(describe_all(loaded))
            except (EngineError, ConfigError) as error:
                yield Finding(Level.ERROR, kind, str(error))
            for engine in loaded:
                await worker.run(engine.close)

    def _doubts(self, server: WakeConfig | AsrConfig, loaded: Sequence[Any]) -> Iterator[Finding]:
        """Findings about words and languages for which engines and configuration do not fit."""
        if isinstance(server, WakeConfig):
            every = WakeRouter(loaded).models()
            yield thresholds(server, loaded)
            told = doubts.of_words(server, [model.name for model in every], self._config.data_dir)
        else:
            told = [*doubts.of_language(server, models(loaded)), *doubts.of_sentences(server)]
        for doubt in told:
            about, _, text = doubt.partition(": ")
            yield Finding(Level.WARNING, about, text)

    async def _licences(self, kind: Kind, loaded: Sequence[Any]) -> Finding:
        known = await asyncio.to_thread(catalogue.load, self._config.models.catalogue)
        return Finding(Level.OK, f"{kind} licences", licences.told(models(loaded), known))

    async def _microphone(self) -> Finding:
        wanted = source(self._config.mic, Quality.MEDIUM)
        try:
            async with asyncio.timeout(FIRST_AUDIO_S), wanted.open() as capture:
                form, peak = capture.format, 0
                async for chunk in capture:
                    peak = max(peak, len(chunk.pcm.strip(chunk.pcm[:1])))
                    if peak or chunk.start >= LISTEN_S * form.rate:
                        break
                else:
                    return Finding(Level.ERROR, "mic.source", f"{wanted.name}: ended without a sound")
            if peak or self._config.mic.mute or self._config.mic.source.kind == "silence":
                return Finding(Level.OK, "mic.source", f"{wanted.name}: {form}")
            return Finding(Level.WARNING, "mic.source", f"{wanted.name}: {form}: digital silence; is it muted?")
        except TimeoutError:
            return Finding(
                Level.ERROR, "mic.source", f"{wanted.name}: no audio within {FIRST_AUDIO_S:g} s; is it muted?"
            )
        except CaptureError as error:
            if self._config.mic.source.kind == "auto":
                return Finding(
                    Level.WARNING, "mic.source", f"{error}; satellites bring their own, and do not need this one"
                )
            return Finding(Level.ERROR, "mic.source", str(error))


def thresholds(server: WakeConfig, loaded: Sequence[WakeEngine]) -> Finding:
    """The finding with each default word's threshold, the setting behind it, and satellites that differ."""
    told = []
    known = [(engine, model) for engine in loaded for model in engine.models()]
    default = resolved(server.default_models, [model.name for _, model in known]).asked
    first = {model.name: (engine, model) for engine, model in reversed(known)}
    for word in dict.fromkeys(model.name for _, model in known):
        engine, model = first[word]
        own = server.models.get(word)
        options = server.providers[engine.name].options if engine.name in server.providers else {}
        if word not in default and own is None:
            continue
        if own is not None and own.threshold is not None:
            told.append(f"{word} {own.threshold:g} (wake.models)")
        elif options.get("threshold") is not None:
            told.append(f"{word} {options['threshold']:g} (wake.providers.{engine.name}.threshold)")
        else:
            told.append(f"{word} {'0.5' if model.threshold is None else f'{model.threshold:g}'} (its author's)")
    for name, satellite in server.satellites.items():
        if satellite.settings.threshold is not None:
            told.append(f"every word {satellite.settings.threshold:g} at {name}")
        for word, settings in satellite.models.items():
            if settings.threshold is not None:
                told.append(f"{word} {settings.threshold:g} at {name}")
    return Finding(Level.OK, "wake.models", ", ".join(told) or "no default word is here")


def models(loaded: Sequence[AsrEngine | WakeEngine]) -> dict[str, Sequence[ModelInfo]]:
    return {engine.name: engine.models() for engine in loaded}


async def address(name: str, wanted: Address, limits: Limits, files_each: int = 1) -> Finding:
    """Check whether a server can listen at an address for all its clients, or one does so already."""

    async def nobody(_connection: object, _client: object) -> None:
        """Serve nobody: a check only listens."""

    try:
        async with Service(name, wanted, limits, nobody):
            shortage = descriptors.shortage(limits.max_connections, files_each)
            text = f"{wanted.uri} is free{'; ' if shortage else ''}{shortage}"
            return Finding(Level.WARNING if shortage else Level.OK, f"{name} address", text)
    except AddressUnavailable as error:
        try:
            await describe(reachable(wanted), timeout_s=1)
        except ServerUnavailable:
            return Finding(Level.ERROR, f"{name} address", str(error))
        return Finding(
            Level.WARNING,
            f"{name} address",
            f"{wanted.uri} is taken: a Wyoming server runs there already, maybe this one",
        )


MOST_NAMED = 5
"""Most unspeakable names in a finding; `irene-wyoming names` lists all."""


def of_names(found: Report) -> Iterator[Finding]:
    """Findings about the home's names, including those that cannot be said."""
    if found.trouble:
        last = f"; the names of the last time are used: {found.told.counted()}" if found.told.names else ""
        yield Finding(Level.WARNING, "home", f"{found.trouble}{last}")
    elif found.asked:
        yield Finding(Level.OK, "home", f"Home Assistant {found.told.version} has {found.told.counted()}")
    else:
        yield Finding(Level.OK, "home", "nobody is asked for names; set home.url and home.token_file to read them")
    for line in found.told.left_out:
        yield Finding(Level.WARNING, "home", line)
    wrong = [f"{name.written} {name.why}" for name in found.unsayable]
    wrong += [f"the sentence {sentence!r} {why}" for sentence, why in found.sentences if why]
    if wrong:
        more = f"; and {len(wrong) - MOST_NAMED} more, see `irene-wyoming names`" if len(wrong) > MOST_NAMED else ""
        yield Finding(Level.WARNING, "home", f"cannot be said: {'; '.join(wrong[:MOST_NAMED])}{more}")
    if unfound := [f"{name.written} {name.unfound}" for name in found.names if name.unfound]:
        yield Finding(Level.WARNING, "home", f"{'; '.join(unfound[:MOST_NAMED])}")


async def configured(config: Config) -> AsyncIterator[Finding]:
    """Findings about changes at the page, and all files that the configuration names."""
    for finding in of_changes(await asyncio.to_thread(read_changes, config)):
        yield finding
    async for finding in opened(config):
        yield finding


def of_changes(data: Mapping[Any, Any]) -> Iterator[Finding]:
    """The finding about settings that were changed at the page, if there are any."""
    told = [f"{dotted(path)}: {value}" for path, value in changes.settings(data)]
    if told:
        yield Finding(Level.OK, "configuration", f"changed at the page: {', '.join(told)}")
