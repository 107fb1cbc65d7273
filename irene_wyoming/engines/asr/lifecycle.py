"""Protocols for abilities of some engines: decode at a pause, load and unload a model, be killed, decode in batches."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from irene_wyoming.engines.base import AsrEngine, AsrSession, Transcription


@runtime_checkable
class PausingSession(Protocol):
    """A session that decodes whole utterances, and can decode before an utterance is certainly over."""

    def pause(self) -> bool:
        """Decode the audio so far: the speaker pauses, and the engine is idle. If no more speech follows, ``finish``
        gives the result at once.

        :return: whether it has decoded; False: no, and it wants the silence behind the speech as well.
        :raises EngineFailed: the session cannot be used any more.
        """


@runtime_checkable
class Loadable(Protocol):
    """An engine that loads and unloads its model on request."""

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
        """End the process now, from any thread: the running call fails."""


def killable(engine: AsrEngine | None) -> Killable | None:
    """The engine's process; None: it has none at present."""
    if isinstance(engine, Loadable):
        engine = engine.engine
    return engine if isinstance(engine, Killable) else None


@runtime_checkable
class Batching(AsrEngine, Protocol):
    """An engine that decodes several utterances together faster than one after the other."""

    def finish_all(self, sessions: Sequence[AsrSession]) -> Sequence[Transcription]:
        """End these sessions of the engine, which have all their audio, and give their transcriptions.

        :raises EngineFailed: the sessions cannot be used any more.
        """
