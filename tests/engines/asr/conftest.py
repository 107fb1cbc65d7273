"""Engines that several test modules make."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from irene_wyoming.engines.asr.remote.spec import SPEC
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec

MakeRemote = Callable[..., AsrEngine]


def made(spec: EngineSpec, **values: Any) -> AsrEngine:
    """Make an engine as the application does, with these options."""
    options = {name: option.check(values.pop(name, option.default)) for name, option in spec.options.items()}
    engine: AsrEngine = spec.create(options, EngineContext(**values))
    return engine


def created(**values: Any) -> AsrEngine:
    """Make the engine ``remote`` as the application does, with these options."""
    return made(SPEC, **values)


@pytest.fixture
def make_remote() -> Iterator[MakeRemote]:
    """``make_remote(uri=...)``: makes an engine that is closed in the end."""
    engines = []

    def make_remote(**values: Any) -> AsrEngine:
        engines.append(created(**values))
        return engines[-1]

    yield make_remote
    for engine in engines:
        engine.close()
