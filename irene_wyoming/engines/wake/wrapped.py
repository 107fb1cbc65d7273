"""WrappedEngine: a wake word engine around another one that changes only the sessions."""

from collections.abc import Sequence

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.engines.base import ModelInfo, WakeEngine


class WrappedEngine:
    """Offers the other engine's models. Derived classes make the sessions."""

    def __init__(self, engine: WakeEngine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def format(self) -> AudioFormat:
        return self._engine.format

    def models(self) -> Sequence[ModelInfo]:
        return self._engine.models()

    def close(self) -> None:
        self._engine.close()
