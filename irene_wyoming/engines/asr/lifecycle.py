"""What some engines can do besides their work: decode at a pause, load a model late and let it go, be killed."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from irene_wyoming.engines.base import AsrEngine, AsrSession, Transcription


@runtime_checkable
class PausingSession(Protocol):
    """A session that decodes whole utterances, and can do so before it is certain that one is over."""

    def pause(self) -> bool:
        """The speaker has paused, and the engine has nothing else to do: decode what was said so far. Where no more
        audio follows, ``finish`` gives what came of it at once.

        :return: whether it has done so; False: it has not, and wants the silence behind the speech as well.
        :raises EngineFailed: the session is of no use any more.
        """


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


@runtime_checkable
class Batching(AsrEngine, Protocol):
    """An engine that decodes several utterances together in less time than one after the other."""

    def finish_all(self, sessions: Sequence[AsrSession]) -> Sequence[Transcription]:
        """End these sessions of its own, which have all of their audio, and say what was said in each.

        :raises EngineFailed: the sessions are of no use any more.
        """
