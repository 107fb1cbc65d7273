"""Makes engines by name, with their defaults, for measurements without a server."""

from typing import Any

from irene_wyoming.engines.base import AsrEngine, EngineContext, WakeEngine
from irene_wyoming.engines.registry import Kind, require, spec


def wake_engine(name: str) -> WakeEngine:
    """Make a wake word engine; raises EngineUnavailable where it is not installed."""
    loaded: WakeEngine = load("wake", name)
    return loaded


def asr_engine(name: str, **options: object) -> AsrEngine:
    """:param options: values in place of the engine's defaults.
    :raises EngineUnavailable: it is not installed.
    """
    loaded: AsrEngine = load("asr", name, **options)
    return loaded


def load(kind: Kind, name: str, **options: object) -> Any:
    engine = spec(kind, name)
    require(engine)
    values = {key: option.default for key, option in engine.options.items()}
    return engine.create({**values, **options}, EngineContext())
