"""Engines that several test modules make."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from irene_wyoming.engines.asr.remote.spec import SPEC
from irene_wyoming.engines.base import AsrEngine, EngineContext

MakeRemote = Callable[..., AsrEngine]


def created(**values: Any) -> AsrEngine:
    """The engine as the application makes it, with these options."""
    options = {name: option.check(values.pop(name, option.default)) for name, option in SPEC.options.items()}
    engine: AsrEngine = SPEC.create(options, EngineContext(**values))
    return engine


@pytest.fixture
def make_remote() -> Iterator[MakeRemote]:
    """``make_remote(uri=...)``: an engine, closed in the end."""
    made = []

    def make_remote(**values: Any) -> AsrEngine:
        made.append(created(**values))
        return made[-1]

    yield make_remote
    for engine in made:
        engine.close()
