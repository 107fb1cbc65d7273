"""What can be done with some engines besides calling them: a model loaded and let go, a process killed."""

from typing import Protocol, runtime_checkable

from irene_wyoming.engines.base import AsrEngine


@runtime_checkable
class Loadable(Protocol):
    """An engine that loads its model when asked to, and lets it go again."""

    @property
    def engine(self) -> AsrEngine | None: ...

    @property
    def loaded(self) -> bool: ...

    def load(self) -> None: ...

    def idle_in(self) -> float | None: ...

    def unload_if_idle(self) -> bool: ...

    def unload_unused(self, for_s: float) -> bool: ...


@runtime_checkable
class Killable(Protocol):
    """An engine in a process of its own."""

    @property
    def alive(self) -> bool: ...

    def kill(self) -> None:
        """End the process now, from whatever thread: the running call fails."""


def killable(engine: AsrEngine | None) -> Killable | None:
    """The engine's process; None: it has none at the moment."""
    if isinstance(engine, Loadable):
        engine = engine.engine
    return engine if isinstance(engine, Killable) else None
