"""Loads the engines that a server is configured to use."""

import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from irene_wyoming import metrics
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.config.asr import AsrConfig
from irene_wyoming.config.model import Config
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.engines import registry
from irene_wyoming.engines.base import EngineContext
from irene_wyoming.engines.registry import Kind
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import ConfigError, EngineError, EngineUnavailable

log = logging.getLogger(__name__)


def context(config: Config) -> EngineContext:
    asr = config.asr
    commercial = config.wake.licence == "commercial"
    return EngineContext(asr.language, asr.vocabulary, config.data_dir, asr.answer, commercial)


def order(server: WakeConfig | AsrConfig) -> list[str]:
    """The providers to use, the default first."""
    return list(dict.fromkeys((server.default_provider, *server.fallback_providers)))


def create(kind: Kind, name: str, options: Mapping[str, Any], known: EngineContext) -> Any:
    """Load one engine. Slow.

    :raises EngineUnavailable: it is not installed or cannot be loaded.
    """
    spec = registry.spec(kind, name)
    registry.require(spec)
    return spec.create(options, known)


def unused(kind: Kind, server: WakeConfig | AsrConfig) -> dict[str, str]:
    """Registered engines that are not used, by name: a description, the author, and how to install each."""
    told = {}
    for name, spec in registry.specs(kind).items():
        if name not in order(server):
            missing = f"; {spec.install}" if registry.missing(spec) else ""
            told[name] = f"off. {spec.summary} By {spec.author}, {spec.url}{missing}"
    return told


@dataclass(frozen=True, slots=True)
class Attempt:
    """One provider with its engine, or the reason why there is none."""

    provider: str
    engine: Any
    error: EngineError | None
    seconds: float

    def __str__(self) -> str:
        if self.error is not None:
            return str(self.error)
        return (
            f"loaded in {self.seconds:.2f} s: {', '.join(model.name for model in self.engine.models()) or 'no model'}"
        )


async def attempts(
    kind: Kind, server: WakeConfig | AsrConfig, known: EngineContext, worker: Worker
) -> AsyncIterator[Attempt]:
    """Load each provider in its order. The caller closes the engines."""
    for name in order(server):
        started = time.monotonic()
        engine, failure = None, None
        try:
            engine = await worker.run(create, kind, name, server.providers[name].options, known)
        except EngineError as error:
            failure = error
        except OSError as error:  # a folder that may not be entered, no room for a file
            failure = EngineUnavailable(f"{name}: {error.filename or 'its files'}: {error.strerror or error}")
        yield Attempt(name, engine, failure, time.monotonic() - started)


async def load(kind: Kind, server: WakeConfig | AsrConfig, known: EngineContext, worker: Worker) -> list[Any]:
    """Load the providers in their order. One that cannot be loaded is logged, and the others do its work.

    :raises EngineUnavailable: none could be loaded.
    """
    engines = []
    async for attempt in attempts(kind, server, known, worker):
        log.log(logging.WARNING if attempt.error else logging.INFO, "%s: %s: %s", kind, attempt.provider, attempt)
        metrics.PROVIDER_UP.labels(kind, attempt.provider).set(attempt.error is None)
        if attempt.error is None:
            engines.append(attempt.engine)
        else:
            metrics.PROVIDER_FAILURES.labels(kind, attempt.provider, attempt.error.code).inc()
    if not engines:
        raise no_engine(kind, server)
    if engines[0].name != server.default_provider:
        metrics.PROVIDER_FALLBACKS.labels(kind, engines[0].name).inc()
        log.warning("%s: %s stands in for %s, the default", kind, engines[0].name, server.default_provider)
    check_format(kind, server, engines[0].format)
    return engines


def check_format(kind: Kind, server: WakeConfig | AsrConfig, engine: AudioFormat) -> None:
    """Check the audio format; raises ConfigError where the configuration contradicts the engines."""
    if (server.audio.sample_rate, server.audio.channels) != (engine.rate, engine.channels):
        raise ConfigError(
            f"{kind}.sample_rate: {server.audio.sample_rate}, {kind}.channels: {server.audio.channels}: "
            f"expected {engine.rate} and {engine.channels}, which is what the engines hear"
        )


def no_engine(kind: Kind, server: WakeConfig | AsrConfig) -> EngineUnavailable:
    return EngineUnavailable(f"{kind}: no provider could be loaded; tried {', '.join(order(server))}")
